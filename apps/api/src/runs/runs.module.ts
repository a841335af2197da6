import { Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { SessionsModule } from '../sessions/sessions.module';
import { EventLog } from './event-log.repository';
import { InteractionRepository } from './interaction.repository';
import { InteractionModel, InteractionSchema } from './interaction.schema';
import { Interactions } from './interactions.service';
import { LogFlusher } from './log-flusher';
import { RunAcceptance } from './run-acceptance.service';
import { RunCancellation } from './run-cancellation.service';
import { RunEventModel, RunEventSchema } from './run-event.schema';
import { RunEvents } from './run-events.service';
import { RunExecution } from './run-execution.service';
import { RunFinisher } from './run-finisher.service';
import { RunHandlers } from './run-handler';
import { RunInbox } from './run-inbox.service';
import { RunJournals } from './run-journals.service';
import { RunLeases } from './run-lease.service';
import { RunQueue } from './run-queue.service';
import { RunRepository } from './run.repository';
import { RunModel, RunSchema } from './run.schema';
import { RunShutdown } from './run-shutdown.service';
import { RunStarter } from './run-starter.service';
import { RunStreams } from './run-stream.service';
import { RunSweeps } from './run-sweeps.service';
import { RunWorker } from './run-worker.service';
import { RunsController } from './runs.controller';
import { RunsService } from './runs.service';
import { SessionRunsController } from './session-runs.controller';
import { WorkerRepository } from './worker.repository';
import { WorkerModel, WorkerSchema } from './worker.schema';

const schemas = MongooseModule.forFeature([
  { name: RunModel.name, schema: RunSchema },
  { name: RunEventModel.name, schema: RunEventSchema },
  { name: InteractionModel.name, schema: InteractionSchema },
  { name: WorkerModel.name, schema: WorkerSchema },
]);
const stores = [RunRepository, EventLog, InteractionRepository, WorkerRepository];
const work = [
  RunJournals,
  RunStarter,
  RunExecution,
  RunInbox,
  RunFinisher,
  RunWorker,
  RunQueue,
  RunSweeps,
  RunShutdown,
];
const doors = [RunAcceptance, RunCancellation, RunsService, RunEvents, RunStreams, Interactions, RunHandlers];

/** Durable runs: it knows events, leases and readers, and nothing of models or tools. */
@Module({
  imports: [schemas, SessionsModule],
  controllers: [RunsController, SessionRunsController],
  providers: [...stores, LogFlusher, RunLeases, ...work, ...doors],
  exports: [RunAcceptance, RunsService, RunEvents, RunStreams, RunHandlers],
})
export class RunsModule {}
