import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlobsModule } from '../blobs/blobs.module';
import { FilesModule } from '../files/files.module';
import { McpModule } from '../mcp/mcp.module';
import { SessionsModule } from '../sessions/sessions.module';
import { BuiltinTools } from './builtin-tools.service';
import { ExecutionRepository } from './execution.repository';
import { ExecutionModel, ExecutionSchema } from './execution.schema';
import { TodoRepository } from './todo.repository';
import { TodoModel, TodoSchema } from './todo.schema';
import { McpOffersController } from './mcp-offers.controller';
import { McpTools } from './mcp-tools.service';
import { ToolExecutions } from './tool-executions.service';
import { ToolRuleRepository } from './tool-rule.repository';
import { ToolRuleModel, ToolRuleSchema } from './tool-rule.schema';
import { ToolRulesController } from './tool-rules.controller';
import { ToolRules } from './tool-rules.service';
import { ToolsController } from './tools.controller';
import { ToolsService } from './tools.service';
import { Web } from './web.service';

const schemas = MongooseModule.forFeature([
  { name: ToolRuleModel.name, schema: ToolRuleSchema },
  { name: ExecutionModel.name, schema: ExecutionSchema },
  { name: TodoModel.name, schema: TodoSchema },
]);

@Module({
  imports: [schemas, BlobsModule, FilesModule, McpModule, SessionsModule],
  controllers: [ToolsController, ToolRulesController, McpOffersController],
  providers: [
    ...[ToolsService, BuiltinTools, McpTools, ToolRules, ToolExecutions, Web],
    ...[ToolRuleRepository, ExecutionRepository, TodoRepository],
  ],
  exports: [ToolsService, ToolExecutions],
})
export class ToolsModule {}
