import { setTimeout as pause } from 'node:timers/promises';
import { answerTokens, readDirectives } from '../support/fake-llm/behaviour';
import { checkRun } from '../support/oracles';
import { insist, PatientClient } from '../support/patient-client';
import type { SeededRandom } from '../support/seeded-random';
import { SseReader, type ReadOptions, type RunRead } from '../support/sse-reader';
import type { Fleet } from './fleet';
import type { Tally } from './tally';

const TURNS = 3;
/** Tool calls of one answer; a model may make 64. */
const MOST_CALLS = 60;
/** A run of which nothing comes for so long counts as stuck. */
const STUCK_MS = 180_000;
const RECONNECT_MS = 500;

/** What a model may do wrong in the first calls of a message; each is mended by asking again. */
const MODEL_FAULTS = (random: SeededRandom): string => {
  const at = random.between(0, 25);
  return random.pick([
    'status=429 retryAfter=1 times=1',
    `status=500 times=${random.between(1, 3)}`,
    'status=529 times=2',
    'hang times=1',
    ...[`stall=${at}`, `reset=${at}`, `eof=${at}`, `close=${at}`, `error=${at}`, `badjson=${at}`].map(
      (fault) => `${fault} times=1`,
    ),
  ]);
};

/** One of those who hold conversations: sends messages, reads their runs over all faults, and holds each to the oracles. */
export class Talker {
  private readonly api: PatientClient;
  private readonly sse: SseReader;
  private said = 0;

  constructor(
    private readonly name: string,
    fleet: Fleet,
    private readonly random: SeededRandom,
    private readonly tally: Tally,
  ) {
    this.api = new PatientClient(() => fleet.address(random, 'past'));
    this.sse = new SseReader(() => fleet.address(random, 'through'));
  }

  /** Talks until it is told to stop. What goes wrong is a violation in the tally, and the next conversation begins. */
  async talk(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      try {
        await this.converse(isOver);
      } catch (error) {
        this.tally.violations.push(`${this.name}, message ${this.said}: ${(error as Error).message}`);
      }
    }
  }

  private async converse(isOver: () => boolean): Promise<void> {
    const made = await this.api.post<{ id: string }>('/api/v1/sessions', {});
    expect(made).toMatchObject({ status: 201 });
    const session = made.body;
    const runs: string[] = [];
    while (runs.length < TURNS && !isOver()) runs.unshift(await this.turn(session.id));
    // Sent again and again while servers were away, each message still made one run.
    const all = await this.api.all<{ id: string }>(`/api/v1/sessions/${session.id}/runs`);
    expect(all.map(({ id }) => id)).toEqual(runs);
  }

  /** @returns the run of one message, from its sending to its end */
  private async turn(sessionId: string): Promise<string> {
    const { random, tally } = this;
    const message = this.message();
    const options = {
      reconnectMs: RECONNECT_MS,
      ...(random.chance(0.5) && { cutAfter: random.between(5, 60) }),
    };
    const read = await this.send({ sessionId, message }, options);
    const reads = [this.follow(read, options)];
    if (random.chance(0.3)) reads.push(this.follow(read.runId, { ...options, cutAfter: undefined }));
    const [all] = await Promise.all([Promise.all(reads), random.chance(0.06) && this.cancel(read)]);
    const status = all[0].events.at(-1)!.type.slice('run.'.length);
    const script = status === 'completed' ? scriptOf(message) : undefined;
    try {
      await checkRun(this.api, all, script);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${outlineOf(all[0])}`, { cause: error });
    }
    tally.take(all);
    return read.runId;
  }

  /** A little text at a walking pace and a burst of calls, then text again; in three of ten the model fails first. */
  private message(): string {
    const { random } = this;
    const pace = `[[tokens=${random.between(26, 60)} delay=${random.between(2, 30)}]]`;
    const fault = random.chance(0.3) ? ` [[${MODEL_FAULTS(random)}]]` : '';
    const calls = ' [[tool=nothing {"of":"use"}]]'.repeat(random.between(0, MOST_CALLS));
    if (fault) this.tally.count('model faults');
    return `Message ${++this.said} of ${this.name}. ${pace}${fault}${calls}`;
  }

  /** Sends the message until it is taken, with one key, and reads what comes at once. */
  private send(body: object, options: object): Promise<RunRead> {
    const headers = { 'idempotency-key': `${this.name}-${this.said}` };
    return insist(() => this.sse.chat(body, { ...options, headers, signal: AbortSignal.timeout(STUCK_MS) }));
  }

  /** Reads the run to its end, for as long as anything new comes. @throws with where it stands, when nothing does */
  private async follow(run: RunRead | string, options: ReadOptions): Promise<RunRead> {
    const seen = (): number => (typeof run === 'string' ? 0 : run.events.length);
    for (;;) {
      const before = seen();
      const signal = AbortSignal.timeout(STUCK_MS);
      try {
        return await this.sse.follow(run, { ...options, signal });
      } catch (error) {
        if (signal.aborted && seen() > before) continue;
        const id = typeof run === 'string' ? run : run.runId;
        const { body } = await this.api.get(`/api/v1/runs/${id}`);
        const read = typeof run === 'string' ? '' : ` (read to ${run.events.at(-1)?.seq} by ${waysOf(run)})`;
        throw new Error(`${id}${read} is ${JSON.stringify(body)}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  private async cancel({ runId }: RunRead): Promise<void> {
    await pause(this.random.between(0, 3_000));
    this.tally.count('cancels');
    const { status } = await this.api.post(`/api/v1/runs/${runId}/cancel`);
    expect([200, 202]).toContain(status);
  }
}

/** What happened in a run, in the order of its log; deltas left out. */
const outlineOf = ({ events }: RunRead): string =>
  events
    .filter(({ type }) => type !== 'part.delta')
    .map(({ seq, type }) => `${seq} ${type}`)
    .join(', ');

/** How a run's connections ended, the last ones first. */
const waysOf = ({ connections }: RunRead): string =>
  connections
    .slice(-8)
    .reverse()
    .map(({ status, end }) => `${status} ${end}`)
    .join(', ');

/** The text of each step of a message, whatever was tried before. */
function scriptOf(message: string): string[] {
  const { tokens, tools } = readDirectives(message);
  const text = answerTokens({ tokens }).join('');
  return tools ? [text, text] : [text];
}
