import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { UsageController } from './usage.controller';
import { UsageModel, UsageSchema } from './usage.schema';
import { UsageRepository } from './usage.repository';
import { UsageService } from './usage.service';

/** What model calls have used and cost. */
@Module({
  imports: [MongooseModule.forFeature([{ name: UsageModel.name, schema: UsageSchema }])],
  controllers: [UsageController],
  providers: [UsageService, UsageRepository],
  exports: [UsageService],
})
export class UsageModule {}
