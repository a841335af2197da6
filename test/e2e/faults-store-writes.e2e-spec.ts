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

const WRITE_FAULTS = resolve(__dirname, '../support/write-faults.cjs');
/** A step, a question, its answer, and a second step. */
const TURN = '/say Wait.\n/ask Shall I go on?';
const ANSWER = 'By all means.';
const SAID = ['Wait.', `The tool ask_user answered: “${ANSWER}”`];

/** For a start of the server on a busy machine. */
const LIMIT_MS = 60_000;

jest.setTimeout(600_000);

/** A store write of a turn at which the server ends, or which fails. */
type Point = `${'crash' | 'break'} ${number} ${'before' | 'after'}`;

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
    const file = join(tempDir(), 'write-faults');
    // The embedded store needs no lease to see that its process died; renewals would only be counted as writes.
    const { RUN_LEASE_MS, ...fast } = FAST;
    const env = {
      ...(store.name === 'embedded' ? fast : { ...fast, RUN_LEASE_MS }),
      ...store.env(),
      DEFAULT_MODEL: 'demo/scribe',
      NODE_OPTIONS: `--require ${WRITE_FAULTS}`,
      WRITE_FAULTS: file,
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
  lines(kind: 'write' | 'fault'): string[] {
    const text = existsSync(this.file) ? readFileSync(this.file, 'utf8') : '';
    return text.split('\n').flatMap((line) => (line.startsWith(kind) ? [line.slice(kind.length + 1)] : []));
  }

  /** Does it again until the server is there to answer, and its store too. */
  insist<T>(what: string, work: () => Promise<T>): Promise<{ answer: T }> {
    return until(
      what,
      async () => {
        if (this.failure) throw this.failure;
        try {
          const answer = await work();
          return (answer as { status?: unknown }).status === 503 ? undefined : { answer };
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

  /** A turn that meets this fault, and the next one. @returns what the first looked like */
  async turn(point: Point): Promise<RunRead> {
    const sessionId = await newSession(this.api);
    const [read] = await Promise.all([this.chat(sessionId, `${TURN}\n[${point}]`), this.answer(sessionId)]);
    const next = await this.chat(sessionId, '/say And on.\n[faults off]');
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

describeStores('a turn in which', (store) => {
  let phoenixes: Phoenix[];
  /** The store writes of a turn to which nothing happens, in their order. */
  let writes: string[];

  // Two, for two cores.
  beforeAll(async () => {
    phoenixes = await Promise.all([Phoenix.start(store), Phoenix.start(store)]);
    const [first] = phoenixes;
    // An answer between the last word of a run that parks and its parking is taken at once.
    expect(['', 'resume at step 2']).toContain(recoveries(await first.turn('crash 0 before')));
    writes = first.lines('write');
  });
  afterEach(async () => {
    for (const phoenix of phoenixes) await phoenix.left();
  });
  afterAll(() => Promise.all(phoenixes.map((phoenix) => phoenix.close())));

  /** One turn for each of these points. @returns what became of them, by the writes that they met */
  async function turns(points: Point[]): Promise<Map<string, string>> {
    const outcomes = new Map<string, string>();
    const lane = async (phoenix: Phoenix, own: Point[]): Promise<void> => {
      for (const point of own) {
        const read = await phoenix.turn(point).catch((error: Error) => {
          throw new Error(`${point}: ${phoenix.lines('fault').at(-1)}`, { cause: error });
        });
        const fault = phoenix.lines('fault').find((line) => line.startsWith(`${point} `));
        if (fault) outcomes.set(fault, `${typesOf(read).length} events, ${recoveries(read)}`);
      }
    };
    const half = (at: number): Point[] => points.filter((_, index) => index % 2 === at);
    await Promise.all(phoenixes.map((phoenix, at) => lane(phoenix, half(at))));
    const rows = [...outcomes].map(([fault, outcome]) => `${fault.padEnd(60)} ${outcome}`);
    console.log([`${rows.length} store writes (${store.name})`, ...rows].join('\n'));
    return outcomes;
  }

  const everyThird = (_: unknown, at: number): boolean => at % 3 === 0;
  const at = (kind: 'crash' | 'break', side: 'before' | 'after'): Point[] =>
    writes.map((_, index): Point => `${kind} ${index + 1} ${side}`);

  it('[F5] [F29] its server is killed at any store write loses nothing, repeats nothing, and takes the next message', async () => {
    // Right after a write the store has it and nobody has heard so: every state that the store goes through. Over the
    // wire only some, since a lease must run out before a run goes on.
    const [before, after] = [at('crash', 'before'), at('crash', 'after')];
    const points =
      store.name === 'embedded'
        ? [...before.filter(everyThird), ...after]
        : [...before.slice(0, 1), ...after.filter(everyThird)];
    expect((await turns(points)).size).toBeGreaterThanOrEqual(store.name === 'embedded' ? 25 : 8);
  });

  it('[F8] any store write fails, done or not, goes on by itself to its proper end', async () => {
    // What the embedded store has committed cannot fail any more.
    const points = [...at('break', 'before'), ...(store.name === 'embedded' ? [] : at('break', 'after'))];
    expect((await turns(points)).size).toBeGreaterThanOrEqual(points.length - 3);
  });
});
