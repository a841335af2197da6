import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { AuditRepository } from './audit.repository';
import { AuditDocument, AuditSchema } from './audit.schema';
import { Audit } from './audit.service';

@Module({
  imports: [MongooseModule.forFeature([{ name: AuditDocument.name, schema: AuditSchema }])],
  providers: [AuditRepository, Audit],
  exports: [Audit],
})
export class AuditModule {}
