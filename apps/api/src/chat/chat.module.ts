import { Module } from '@nestjs/common';
import { LlmModule } from '@scorpio/llm';
import { BlobsModule } from '../blobs/blobs.module';
import { RunsModule } from '../runs/runs.module';
import { SessionsModule } from '../sessions/sessions.module';
import { ToolsModule } from '../tools/tools.module';
import { UsageModule } from '../usage/usage.module';
import { ChatAnswers } from './chat-answer.service';
import { ChatAsker } from './chat-asker.service';
import { ChatPreflight } from './chat-preflight.service';
import { ChatController } from './chat.controller';
import { ChatLedger } from './chat-ledger.service';
import { ChatRunHandler } from './chat-run.handler';
import { ChatService } from './chat.service';
import { ContextController } from './context.controller';
import { ContextService } from './context.service';
import { Conversation } from './conversation.service';
import { HistoryModule } from './history.module';

@Module({
  imports: [LlmModule, BlobsModule, RunsModule, SessionsModule, ToolsModule, UsageModule, HistoryModule],
  controllers: [ChatController, ContextController],
  providers: [
    ChatService,
    ChatPreflight,
    ChatAnswers,
    ChatAsker,
    ChatRunHandler,
    ChatLedger,
    ContextService,
    Conversation,
  ],
})
export class ChatModule {}
