import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { BlobRepository } from './blob.repository';
import { BlobChunkModel, BlobChunkSchema, BlobModel, BlobSchema } from './blob.schema';
import { BlobsController } from './blobs.controller';
import { BlobsService } from './blobs.service';

@Module({
  imports: [
    MongooseModule.forFeature([
      { name: BlobModel.name, schema: BlobSchema },
      { name: BlobChunkModel.name, schema: BlobChunkSchema },
    ]),
  ],
  controllers: [BlobsController],
  providers: [BlobsService, BlobRepository],
  exports: [BlobsService],
})
export class BlobsModule {}
