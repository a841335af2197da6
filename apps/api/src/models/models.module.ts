import { Module } from '@nestjs/common';
import { LlmModule } from '@scorpio/llm';
import { ModelsController } from './models.controller';

/** What can be asked for: the models of every vendor and endpoint. */
@Module({ imports: [LlmModule], controllers: [ModelsController] })
export class ModelsModule {}
