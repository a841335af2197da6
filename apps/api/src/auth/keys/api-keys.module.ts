import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { AuditModule } from '../audit/audit.module';
import { ApiKeyRepository } from './api-key.repository';
import { ApiKeyDocument, ApiKeySchema } from './api-key.schema';
import { ApiKeys } from './api-keys.service';

/** API keys without their routes: what a command line needs too. */
@Module({
  imports: [MongooseModule.forFeature([{ name: ApiKeyDocument.name, schema: ApiKeySchema }]), AuditModule],
  providers: [ApiKeyRepository, ApiKeys],
  exports: [ApiKeys],
})
export class ApiKeysModule {}
