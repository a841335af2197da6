import type { Model } from 'mongoose';
import { Bus, type Topic } from '@scorpio/bus';
import { loadConfig } from '@scorpio/config';
import type { InteractionModel } from '../../../apps/api/src/runs/interaction.schema';
import type { LogBatch, RunEventModel } from '../../../apps/api/src/runs/run-event.schema';
import type { RunCancellation } from '../../../apps/api/src/runs/run-cancellation.service';
import type { RunLeases } from '../../../apps/api/src/runs/run-lease.service';
import type { RunStreams } from '../../../apps/api/src/runs/run-stream.service';
import type { RunWorker } from '../../../apps/api/src/runs/run-worker.service';
import type { RunRepository } from '../../../apps/api/src/runs/run.repository';
import type { RunModel, RunRecord } from '../../../apps/api/src/runs/run.schema';
import type { WorkerModel } from '../../../apps/api/src/runs/worker.schema';
import type { SessionsService } from '../../../apps/api/src/sessions/sessions.service';
import type { Network } from './network';
import type { RunsRoom } from './runs-room';
import { ScriptedHandler } from './scripted-handler';

export interface Models {
  events: Model<RunEventModel>;
  runs: Model<RunModel>;
  interactions: Model<InteractionModel>;
  workers: Model<WorkerModel>;
}

const config = loadConfig({ SECRET_KEY: 'k'.repeat(40) });

/** The session that all runs are in: what it counts is not what is tried here. */
const sessions = {
  beginTurn: async () => ({ turns: 1 }),
  settleTurn: async () => undefined,
} as unknown as SessionsService;

/** Bells that only the schedule rings. */
class HeldBus extends Bus {
  readonly shared = false;
  private readonly listeners = new Map<Topic, Set<() => void>>();

  override ring(_topic: Topic): void {}

  override on(topic: Topic, listener: () => void): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    this.listeners.set(topic, set.add(listener));
    return () => set.delete(listener);
  }

  strike(topic: Topic): void {
    for (const listener of this.listeners.get(topic) ?? []) listener();
  }
}

/** What the world around a simulated server takes from it. */
export interface Surroundings {
  network: Network;
  models: Models;
  /** Takes a batch that the server shows its readers. */
  onLive: (server: SimServer, batch: LogBatch) => void;
  onEffect: () => void;
}

/** The real classes of one server's runs, over a line of its own to the store that all servers share. */
export class SimServer {
  alive = true;
  readonly bus = new HeldBus();
  readonly runs: RunRepository;
  readonly worker: RunWorker;
  readonly streams: RunStreams;
  readonly leases: RunLeases;
  private readonly cancellation: RunCancellation;
  private readonly show: (runId: string, batch: LogBatch) => void;

  constructor(
    room: RunsRoom,
    readonly host: string,
    private readonly around: Surroundings,
  ) {
    const { network, models } = around;
    const runs = (this.runs = new room.RunRepository(network.link(models.runs, host)));
    const log = new room.EventLog(network.link(models.events, host));
    const interactions = new room.InteractionRepository(network.link(models.interactions, host));
    const workers = new room.WorkerRepository(network.link(models.workers, host));
    const { bus } = this;
    const handlers = new room.RunHandlers();
    const turn = (): Promise<void> => network.send(host, false, async () => undefined);
    handlers.register(new ScriptedHandler(host, turn, around.onEffect));
    handlers.registerLedger({ record: async () => undefined });
    this.leases = new room.RunLeases(runs, workers, bus, config);
    this.streams = new room.RunStreams(log, bus, config);
    this.show = this.streams.publish.bind(this.streams);
    this.streams.publish = (_runId, batch) => {
      if (this.alive) around.onLive(this, batch);
    };
    const journals = new room.RunJournals(new room.LogFlusher(log), this.streams, this.leases);
    const starter = new room.RunStarter(log, journals, handlers, sessions);
    const finisher = new room.RunFinisher(runs, interactions, sessions, handlers, bus, config);
    const inbox = new room.RunInbox(runs, interactions, finisher, bus);
    const execution = new room.RunExecution(log, handlers, inbox, finisher, runs, bus);
    this.worker = new room.RunWorker(starter, execution, this.leases, runs, bus, config);
    this.cancellation = new room.RunCancellation(runs, log, this.worker, this.leases, finisher, bus);
  }

  /** Shows its readers a batch, whoever stored it and however late. */
  deliver(runId: string, batch: LogBatch): void {
    this.show(runId, batch);
  }

  /** Takes a run over, whether its owner is gone or only slow. */
  async takeOver(seen: RunRecord): Promise<void> {
    const run = await this.runs.takeOver(seen, this.leases.worker);
    if (run) this.worker.resume(run, seen.status === 'queued' ? 'resume' : 'crash');
  }

  async cancel(run: RunRecord): Promise<void> {
    await this.cancellation.cancel(run, 'ada', 'user');
  }

  kill(delivered: () => boolean): void {
    this.alive = false;
    this.around.network.kill(this.host, delivered);
  }
}
