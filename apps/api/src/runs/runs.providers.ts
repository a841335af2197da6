import { EventLog } from './event-log.repository';
import { InteractionRepository } from './interaction.repository';
import { Interactions } from './interactions.service';
import { LogFlusher } from './log-flusher';
import { RunAcceptance } from './run-acceptance.service';
import { RunCancellation } from './run-cancellation.service';
import { RunEvents } from './run-events.service';
import { RunExecution } from './run-execution.service';
import { RunFinisher } from './run-finisher.service';
import { RunHandlers } from './run-handler';
import { RunInbox } from './run-inbox.service';
import { RunJournals } from './run-journals.service';
import { RunLeases } from './run-lease.service';
import { RunQueue } from './run-queue.service';
import { RunRepository } from './run.repository';
import { RunShutdown } from './run-shutdown.service';
import { RunStarter } from './run-starter.service';
import { RunStreams } from './run-stream.service';
import { RunSweeps } from './run-sweeps.service';
import { RunWorker } from './run-worker.service';
import { RunsService } from './runs.service';
import { WorkerRepository } from './worker.repository';

const STORES = [RunRepository, EventLog, InteractionRepository, WorkerRepository];
const WORK = [
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
/** What other rooms may use. */
export const RUN_DOORS = [
  RunAcceptance,
  RunCancellation,
  RunsService,
  RunEvents,
  RunStreams,
  Interactions,
  RunHandlers,
];

export const RUN_PROVIDERS = [...STORES, LogFlusher, RunLeases, ...WORK, ...RUN_DOORS];
