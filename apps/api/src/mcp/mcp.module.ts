import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { KnownServers } from './known-servers.service';
import { McpApprovalRepository } from './mcp-approval.repository';
import { McpApprovalDocument, McpApprovalSchema } from './mcp-approval.schema';
import { McpApprovals } from './mcp-approvals.service';
import { McpAuthorization } from './mcp-authorization.service';
import { McpConnections } from './mcp-connections.service';
import { McpOAuthController } from './mcp-oauth.controller';
import { McpOfferings } from './mcp-offerings.service';
import { McpServerRepository } from './mcp-server.repository';
import { McpServerDocument, McpServerSchema } from './mcp-server.schema';
import { McpServerTools } from './mcp-server-tools.service';
import { McpServersController } from './mcp-servers.controller';
import { McpServers } from './mcp-servers.service';
import { McpService } from './mcp.service';
import { McpTrials } from './mcp-trials.service';
import { McpVaults } from './mcp-vaults.service';
import { OperatorServers } from './operator-servers.service';

/** MCP servers: as a resource, kept connected, and what they offer. */
@Module({
  imports: [
    MongooseModule.forFeature([
      { name: McpServerDocument.name, schema: McpServerSchema },
      { name: McpApprovalDocument.name, schema: McpApprovalSchema },
    ]),
  ],
  controllers: [McpServersController, McpOAuthController],
  providers: [
    ...[KnownServers, McpApprovalRepository, McpApprovals, McpAuthorization, McpConnections, McpOfferings],
    ...[McpServerRepository, McpServers, McpServerTools, McpService, McpTrials, McpVaults, OperatorServers],
  ],
  exports: [McpService],
})
export class McpModule {}
