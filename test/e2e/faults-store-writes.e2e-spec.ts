import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ApiClient } from '../support/api-client';
import { FAST, getRun, newSession, runIn, until } from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { checkRun } from '../support/oracles';
import { isAway } from '../support/patient-client';
import { eventsOf, typesOf } from '../support/run-reads';
import { ServerProcess } from '../support/server-process';
import { SseReader, type RunRead } from '../support/sse-reader';
import { describeStores, type StoreVariant } from '../support/stores';
import { tempDir } from '../support/temp-dir';

const CRASH_POINTS = resolve(__dirname, '../support/crash-points.cjs');
/** A step, a question, its answer, and a second step. */
const TURN = '/say Wait.\n/ask Shall I go on?';
const ANSWER = 'By all means.';
const SAID = ['Wait.', `The tool ask_user answered: “${ANSWER}”`];

/** For a start of the server on a busy machine. */
const LIMIT_MS = 60_000;

jest.setTimeout(600_000);

/** A place in a turn at which the server ends. */
type Point = `${number} ${'before' | 'after'}`;

/** A server that is started again whenever it ends, and its client, who does not give up. */
class Phoenix {
  readonly api: ApiClient;
  readonly sse: SseReader;
  private closing = false;
  private failure?: Error;
  private readonly rising: Promise<void>;

  private constructor(
    private readonly server: ServerProcess,
    private readonly file: string,
  ) {
    this.api = new ApiClient(server.url, { connection: 'close' });
    this.sse = new SseReader(server.url);
    this.rising = this.rise().catch((error: Error) => void (this.failure = error));
  }

  static async start(store: StoreVariant): Promise<Phoenix> {
    const file = join(tempDir(), 'crash-points');
    // The embedded store needs no lease to see that its process died; renewals would only be counted as writes.
    const { RUN_LEASE_MS, ...fast } = FAST;
    const env = {
      ...(store.name === 'embedded' ? fast : { ...fast, RUN_LEASE_MS }),
      ...store.env(),
      DEFAULT_MODEL: 'demo/scribe',
      NODE_OPTIONS: `--require ${CRASH_POINTS}`,
      CRASH_POINTS: file,
    };
    return new Phoenix(await ServerProcess.start(env), file);
  }

  private async rise(): Promise<void> {
    for (;;) {
      await this.server.exited;
      if (this.closing) return;
      await this.server.restart();
    }
  }

  async close(): Promise<void> {
    this.closing = true;
    await this.server.close();
    await this.rising;
  }

  /** Nothing is left of the turns in the server as it was started last. */
  left(): Promise<void> {
    return nothingLeft(this.server);
  }

  /** The lines of the file of this kind, without the word for it. */
  lines(kind: 'write' | 'crash'): string[] {
    const text = existsSync(this.file) ? readFileSync(this.file, 'utf8') : '';
    return text.split('\n').flatMap((line) => (line.startsWith(kind) ? [line.slice(kind.length + 1)] : []));
  }

  /** Does it again until the server is there to answer. */
  insist<T>(what: string, work: () => Promise<T>): Promise<{ answer: T }> {
    return until(
      what,
      async () => {
        if (this.failure) throw this.failure;
        try {
          return { answer: await work() };
        } catch (error) {
          if (isAway(error)) return undefined;
          throw error;
        }
      },
      LIMIT_MS,
    );
  }

  /** Sends a message, the same one until it is taken, and reads its run to the end. */
  async chat(sessionId: string, message: string): Promise<RunRead> {
    const headers = { 'idempotency-key': `${sessionId} ${message}`.replace(/\W+/g, '-') };
    const body = { sessionId, message, tools: ['ask_user'] };
    const { answer } = await this.insist('the message', () => this.sse.chat(body, { headers }));
    return this.sse.follow(answer);
  }

  /** Answers the question of the session once its run waits for that. */
  async answer(sessionId: string): Promise<void> {
    const path = `/api/v1/sessions/${sessionId}/interactions`;
    await until(
      'the question is answered',
      async () => {
        const { answer: asked } = await this.insist('the questions', () => this.api.all(path));
        if (!asked.length) return false;
        if (asked[0].status !== 'open') return true;
        const { answer: run } = await this.insist('the run', () => getRun(this.api, asked[0].runId));
        if (run.status !== 'waiting_input') return false;
        const given = { outcome: 'answered', value: ANSWER };
        const { answer } = await this.insist('the answer', () => this.api.post(`${path}/${asked[0].id}`, given));
        // 409: an earlier try had been taken, and only its reply was lost.
        expect([200, 409]).toContain(answer.status);
        return true;
      },
      LIMIT_MS,
    );
  }

  /** A turn in which the server ends at this point, and the next one. @returns what the first looked like */
  async turn(point: Point): Promise<RunRead> {
    const sessionId = await newSession(this.api);
    const [read] = await Promise.all([this.chat(sessionId, `${TURN}\n[crash ${point}]`), this.answer(sessionId)]);
    const next = await this.chat(sessionId, '/say And on.\n[crash off]');
    await runIn(this.api, next.runId, 'completed');
    await checkRun(this.api, [read], SAID);
    // The first turn gives the session its title; counted twice, it would be the second.
    expect(typesOf(read)).toContain('session.updated');
    await checkRun(this.api, [next], ['And on.']);
    const runs = await this.api.all(`/api/v1/sessions/${sessionId}/runs`);
    expect(runs.map(({ id, status }) => [id, status])).toEqual([next, read].map(({ runId }) => [runId, 'completed']));
    // Asked again after a crash it is the same question: a second one would be open for ever.
    const questions = await this.api.all(`/api/v1/sessions/${sessionId}/interactions`);
    expect(questions.map(({ runId, status }) => [runId, status])).toEqual([[read.runId, 'answered']]);
    return read;
  }
}

const recoveries = (read: RunRead): string =>
  eventsOf(read, 'run.recovered')
    .map(({ reason, fromStep }) => `${reason} at step ${fromStep}`)
    .join(', ');

describeStores('a server that is killed at a store write of a turn', (store) => {
  let phoenixes: Phoenix[];
  // Two, for two cores.
  beforeAll(async () => void (phoenixes = await Promise.all([Phoenix.start(store), Phoenix.start(store)])));
  afterAll(() => Promise.all(phoenixes.map((phoenix) => phoenix.close())));

  it('[F5] [F29] loses nothing, repeats nothing, and takes the next message, whichever write it is', async () => {
    const [first] = phoenixes;
    const whole = await first.turn('0 before');
    // An answer between the last word of a run that parks and its parking is taken at once.
    expect(['', 'resume at step 2']).toContain(recoveries(whole));
    // Right after a write the store has it and nobody has heard so: every state that the store goes through. Over the
    // wire only some, since a lease must run out before a run goes on.
    const third = (_point: unknown, at: number): boolean => at % 3 === 0;
    const after = first.lines('write').map((_write, at): Point => `${at + 1} after`);
    const before = after.map((_after, at): Point => `${at + 1} before`).filter(third);
    const points = store.name === 'embedded' ? [...before, ...after] : ['1 before' as Point, ...after.filter(third)];

    const table = new Map<string, string>();
    const lane = async (phoenix: Phoenix, own: Point[]): Promise<void> => {
      for (const point of own) {
        const read = await phoenix.turn(point).catch((error: Error) => {
          throw new Error(`killed ${point}: ${phoenix.lines('crash').at(-1)}`, { cause: error });
        });
        const crash = phoenix.lines('crash').find((line) => line.startsWith(`${point} `));
        if (crash) table.set(crash, `${typesOf(read).length} events, ${recoveries(read)}`);
      }
    };
    await Promise.all(
      phoenixes.map((phoenix, at) =>
        lane(
          phoenix,
          points.filter((_, index) => index % 2 === at),
        ),
      ),
    );
    for (const phoenix of phoenixes) await phoenix.left();
    const rows = [...table].map(([crash, outcome]) => `${crash.padEnd(60)} ${outcome}`);
    console.log([`${rows.length} crash points (${store.name})`, ...rows].join('\n'));
    expect(rows.length).toBeGreaterThanOrEqual(store.name === 'embedded' ? 25 : 8);
  });
});
