import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { SessionsModule } from '../sessions/sessions.module';
import { InteractionModel, InteractionSchema } from './interaction.schema';
import { RunEventModel, RunEventSchema } from './run-event.schema';
import { RunModel, RunSchema } from './run.schema';
import { RunsController } from './runs.controller';
import { RUN_DOORS, RUN_PROVIDERS } from './runs.providers';
import { SessionRunsController } from './session-runs.controller';
import { WorkerModel, WorkerSchema } from './worker.schema';

const schemas = MongooseModule.forFeature([
  { name: RunModel.name, schema: RunSchema },
  { name: RunEventModel.name, schema: RunEventSchema },
  { name: InteractionModel.name, schema: InteractionSchema },
  { name: WorkerModel.name, schema: WorkerSchema },
]);

/** Durable runs: it knows events, leases and readers, and nothing of models or tools. */
@Module({
  imports: [schemas, SessionsModule],
  controllers: [RunsController, SessionRunsController],
  providers: RUN_PROVIDERS,
  exports: RUN_DOORS,
})
export class RunsModule {}
