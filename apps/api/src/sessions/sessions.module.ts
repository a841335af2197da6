import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { SessionEraser } from './session-eraser';
import { SessionRepository } from './session.repository';
import { SessionModel, SessionSchema } from './session.schema';
import { SessionsController } from './sessions.controller';
import { SessionsService } from './sessions.service';

@Module({
  imports: [MongooseModule.forFeature([{ name: SessionModel.name, schema: SessionSchema }])],
  controllers: [SessionsController],
  providers: [SessionsService, SessionEraser, SessionRepository],
  exports: [SessionsService],
})
export class SessionsModule {}
