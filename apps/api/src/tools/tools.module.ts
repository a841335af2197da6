import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlobsModule } from '../blobs/blobs.module';
import { SessionsModule } from '../sessions/sessions.module';
import { BuiltinTools } from './builtin-tools.service';
import { ToolRuleRepository } from './tool-rule.repository';
import { ToolRuleModel, ToolRuleSchema } from './tool-rule.schema';
import { ToolRulesController } from './tool-rules.controller';
import { ToolRules } from './tool-rules.service';
import { ToolsService } from './tools.service';

const schemas = MongooseModule.forFeature([{ name: ToolRuleModel.name, schema: ToolRuleSchema }]);

@Module({
  imports: [schemas, BlobsModule, SessionsModule],
  controllers: [ToolRulesController],
  providers: [ToolsService, BuiltinTools, ToolRules, ToolRuleRepository],
  exports: [ToolsService],
})
export class ToolsModule {}
