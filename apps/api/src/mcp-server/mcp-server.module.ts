import { Module } from '@nestjs/common';
import { RunsModule } from '../runs/runs.module';
import { SessionsModule } from '../sessions/sessions.module';
import { ToolsModule } from '../tools/tools.module';
import { AskTool } from './ask-tool.service';
import { DefaultSession } from './default-session.service';
import { McpEndpoint } from './mcp-endpoint.service';
import { McpGate } from './mcp-gate.service';
import { McpServerController } from './mcp-server.controller';
import { ServedTools } from './served-tools.service';

/** Scorpio as an MCP server: its tools and its agent for the programs of others. */
@Module({
  imports: [RunsModule, SessionsModule, ToolsModule],
  controllers: [McpServerController],
  providers: [McpEndpoint, McpGate, ServedTools, AskTool, DefaultSession],
})
export class McpServerModule {}
