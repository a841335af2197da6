import { setImmediate as nextTurn } from 'node:timers/promises';
import { newId } from '@scorpio/kernel';
import { EventLog } from '../../../apps/api/src/runs/event-log.repository';
import type { LogBatch } from '../../../apps/api/src/runs/run-event.schema';
import { RunRepository, type NewRun } from '../../../apps/api/src/runs/run.repository';
import { hasEnded, type RunRecord } from '../../../apps/api/src/runs/run.schema';
import { Network, type LineFault } from './network';
import type { RunsRoom } from './runs-room';
import { SimClient } from './sim-client';
import { SimServer, type Models } from './sim-server';
import { verdict } from './verdict';

const CLIENTS = 3;
const MOST_SERVERS = 6;
const MOST_TAKEOVERS = 8;
/** Idle looks at the clock after which an owner counts as gone. */
const PATIENCE = 12;
/** Steps in which a run must end once nothing goes wrong any more. */
const CALM_STEPS = 5_000;

const owner = { tenantId: 'local', ownerId: 'local' };

/** What happened in simulations, to see that they try what they claim to. */
export const tally: Record<string, number> = {};
const count = (what: string): void => void (tally[what] = (tally[what] ?? 0) + 1);

/**
 * One run from its acceptance to its end by servers that die, stall and are wrongly taken for dead, over a line that
 * loses, delays and repeats, before clients that come and go. `schedule` decides everything that happens, a byte at a
 * time; when it is used up nothing goes wrong any more and the run must end.
 *
 * Timers must be faked, so that time is the schedule's as well.
 */
export class Simulation {
  private readonly runId = newId('run');
  private readonly network = new Network();
  private readonly servers: SimServer[] = [];
  private readonly clients = Array.from({ length: CLIENTS }, () => new SimClient(this.runId));
  /** Batches on their way to readers, and those that have come: they may come again. */
  private readonly live: { from: SimServer; batch: LogBatch }[] = [];
  private readonly shown: LogBatch[] = [];
  private readonly log: EventLog;
  private readonly runs: RunRepository;
  private readonly message: NewRun = {
    _id: this.runId,
    ...owner,
    sessionId: newId('ses'),
    order: `1${this.runId}`,
    input: 'hello',
    model: 'scripted',
    onBusy: 'enqueue',
    position: 0,
    turn: 1,
    inbox: [],
    steers: [],
    createdAt: new Date(),
  };
  private effects = 0;
  private takeovers = 0;
  private idleLooks = 0;
  private at = 0;

  constructor(
    private readonly room: RunsRoom,
    private readonly models: Models,
    private readonly schedule: Uint8Array,
  ) {
    this.log = new EventLog(models.events);
    this.runs = new RunRepository(models.runs);
  }

  /** @returns what is wrong with how it ended; nothing, if the protocol keeps its promises */
  async play(): Promise<string[]> {
    this.begin();
    await this.quiet();
    while (this.at < this.schedule.length) {
      await this.act();
      await this.quiet();
    }
    for (let step = 0; step < CALM_STEPS && !(await this.over()); step++) {
      await this.calm();
      await this.quiet();
    }
    while (this.network.late.length) await this.network.serveLate(0);
    const [log, run] = [await this.log.all(this.runId), await this.run()];
    for (const server of this.alive) server.kill(() => false);
    for (const client of this.clients) client.drop();
    count(`run ${run?.status}`);
    await this.log.erase(this.runId, 10_000);
    await this.runs.remove(this.runId);
    return verdict(log, run, this.clients, this.effects);
  }

  // ---- decisions

  /** A number below `bound` that the schedule decides; 0, the harmless choice, when it is used up. */
  private pick(bound: number): number {
    return this.at < this.schedule.length ? this.schedule[this.at++] % bound : 0;
  }

  /** Whether something happens that does so once in `odds`. */
  private once(odds: number): boolean {
    return this.pick(odds) === odds - 1;
  }

  private get alive(): SimServer[] {
    return this.servers.filter((server) => server.alive);
  }

  private anyone(): SimServer {
    const { alive } = this;
    return alive.length ? alive[this.pick(alive.length)] : this.start();
  }

  // ---- what can happen

  private begin(): void {
    const accepted = this.once(3)
      ? this.runs.insertActive(this.message)
      : this.start().worker.accept(this.message, false);
    accepted.catch(() => undefined);
  }

  private start(): SimServer {
    const server = new SimServer(this.room, `s${this.servers.length + 1}`, {
      network: this.network,
      models: this.models,
      onLive: (from, batch) => this.live.push({ from, batch }),
      onEffect: () => (this.effects += 1),
    });
    this.servers.push(server);
    return server;
  }

  /** One thing that the schedule decides, faults included. */
  private async act(): Promise<void> {
    const { network, live } = this;
    const what = this.pick(64);
    if (what < 26) return this.serve();
    if (what < 34 && network.replies.length) return this.reply();
    if (what < 44) return this.read(this.clients[this.pick(CLIENTS)], this.once(6) ? 1 + this.pick(3) : undefined);
    if (what < 50 && live.length) return this.show();
    if (what < 54) return this.tick();
    if (what === 54) return this.kill();
    if (what === 55) return this.clients[this.pick(CLIENTS)].drop();
    if (what < 58) return this.takeOver();
    if (what < 60 && network.late.length) {
      count('late writes');
      return network.serveLate(this.pick(network.late.length));
    }
    if (what === 60) return this.anyone().bus.strike(`ctl:${this.runId}`);
    if (what === 61) return this.anyone().bus.strike(`ev:${this.runId}`);
    if (what === 62 && this.servers.length < MOST_SERVERS) return void this.start();
    if (what === 63 && this.once(16)) return this.cancel();
    return this.serve();
  }

  private async serve(): Promise<void> {
    const { sent } = this.network;
    if (!sent.length) return this.tick();
    const index = this.pick(sent.length);
    const hold = this.once(5);
    const { write } = sent[index];
    const faults: LineFault[] = write ? ['lose request', 'lose reply', 'late', 'twice'] : [];
    const fault = this.once(10) ? faults[this.pick(4)] : undefined;
    if (fault) count(fault);
    return this.network.serve(index, fault, hold);
  }

  private reply(): void {
    const { replies } = this.network;
    replies.splice(this.pick(replies.length), 1)[0]();
  }

  private read(client: SimClient, cut?: number): void {
    if (cut !== undefined) count('drops');
    client.step(this.anyone(), cut);
  }

  /** Shows readers what was stored: in any order, twice, at another server, or never. */
  private show(): void {
    const fate = this.pick(8);
    const [next] = this.live.splice(fate < 4 ? 0 : this.pick(this.live.length), 1);
    if (fate === 7) return count('frames lost');
    this.shown.push(next.batch);
    const again = fate === 6;
    const batch = again ? this.shown[this.pick(this.shown.length)] : next.batch;
    const server = fate === 5 || again ? this.anyone() : next.from;
    if (server !== next.from || again) count('frames astray');
    if (server.alive) server.deliver(this.runId, batch);
  }

  private tick(): void {
    jest.advanceTimersToNextTimer();
  }

  private kill(): void {
    if (!this.alive.length || this.servers.length >= MOST_SERVERS) return;
    count('kills');
    this.anyone().kill(() => this.once(2));
  }

  /** Somebody takes the run for abandoned, rightly or not. */
  private async takeOver(): Promise<void> {
    const run = await this.run();
    if (!run || hasEnded(run.status) || this.takeovers >= MOST_TAKEOVERS) return;
    this.takeovers += 1;
    count('takeovers');
    void this.anyone()
      .takeOver(run)
      .catch(() => undefined);
  }

  private async cancel(): Promise<void> {
    const run = await this.run();
    if (!run || hasEnded(run.status)) return;
    count('cancels');
    void this.anyone()
      .cancel(run)
      .catch(() => undefined);
  }

  // ---- when nothing goes wrong any more

  private async calm(): Promise<void> {
    const { network, live } = this;
    const { sent, replies } = network;
    if (replies.length) return this.reply();
    if (sent.length) return network.serve(0);
    if (live.length) return this.show();
    const waiting = this.clients.find((client) => !client.idle);
    if (waiting) return this.read(waiting);
    this.idleLooks += 1;
    this.tick();
    const held = this.alive.some((server) => server.leases.holds(this.runId));
    if (held || this.idleLooks < PATIENCE) return;
    this.idleLooks = 0;
    // Its client had no answer and sends the message again.
    const run = (await this.run()) ?? (await this.runs.insertActive(this.message))!;
    if (!hasEnded(run.status)) void this.anyone().takeOver(run);
  }

  private async over(): Promise<boolean> {
    if (this.network.sent.length || this.network.replies.length) return false;
    if (!this.clients.every((client) => client.ended)) return false;
    const run = await this.run();
    return run !== null && hasEnded(run.status);
  }

  private run(): Promise<RunRecord | null> {
    return this.runs.find(owner, this.runId);
  }

  /** Lets everyone go on until they wait for the line, the time or each other. */
  private async quiet(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }
}
