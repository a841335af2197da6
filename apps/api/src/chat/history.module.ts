import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlobsModule } from '../blobs/blobs.module';
import { FilesModule } from '../files/files.module';
import { SessionsModule } from '../sessions/sessions.module';
import { HistoryController } from './history.controller';
import { HistoryService } from './history.service';
import { MessageRepository } from './message.repository';
import { MessageModel, MessageSchema } from './message.schema';
import { SessionContentService } from './session-content.service';
import { SessionTransferController } from './session-transfer.controller';
import { SessionTransferService } from './session-transfer.service';

/** What was said: kept, read, copied and erased. The part of the room that needs no model and no run. */
@Module({
  imports: [
    MongooseModule.forFeature([{ name: MessageModel.name, schema: MessageSchema }]),
    SessionsModule,
    BlobsModule,
    FilesModule,
  ],
  controllers: [HistoryController, SessionTransferController],
  providers: [MessageRepository, HistoryService, SessionTransferService, SessionContentService],
  exports: [MessageRepository],
})
export class HistoryModule {}
