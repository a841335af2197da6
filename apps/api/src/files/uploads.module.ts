import { Module } from '@nestjs/common';
import { WorkspaceModule } from '@scorpio/workspace';
import { SessionsModule } from '../sessions/sessions.module';
import { UploadStorage } from './upload-storage';

/** What the reading of uploads needs, apart from the room: its interceptor is made before the room's own providers. */
@Module({ imports: [WorkspaceModule, SessionsModule], providers: [UploadStorage], exports: [UploadStorage] })
export class UploadsModule {}
