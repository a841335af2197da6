import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { MulterModule } from '@nestjs/platform-express';
import { WorkspaceModule } from '@scorpio/workspace';
import { BlobsModule } from '../blobs/blobs.module';
import { SessionsModule } from '../sessions/sessions.module';
import { FileChangeRepository } from './file-change.repository';
import { FileChangeModel, FileChangeSchema } from './file-change.schema';
import { FileChangesService } from './file-changes.service';
import { FileDownloadsController } from './file-downloads.controller';
import { FileUploadsController } from './file-uploads.controller';
import { FilesController } from './files.controller';
import { FilesService } from './files.service';
import { UploadStorage } from './upload-storage';
import { UploadsModule } from './uploads.module';

@Module({
  imports: [
    MongooseModule.forFeature([{ name: FileChangeModel.name, schema: FileChangeSchema }]),
    MulterModule.registerAsync({
      imports: [UploadsModule],
      inject: [UploadStorage],
      useFactory: ({ options }: UploadStorage) => options,
    }),
    UploadsModule,
    WorkspaceModule,
    SessionsModule,
    BlobsModule,
  ],
  controllers: [FilesController, FileUploadsController, FileDownloadsController],
  providers: [FilesService, FileChangesService, FileChangeRepository],
  exports: [FilesService],
})
export class FilesModule {}
