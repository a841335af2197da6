import { ScorpioError } from './errors.ts';
import type { Interaction, Run, RunEvent } from './generated/types.gen.ts';
import { RunStream, type RunSource, type StreamOptions } from './run-stream.ts';

const RUN = 'run_1';
const event = (seq: number, type: string, more: object = {}): string =>
  `id: ${RUN}:${seq}\nevent: ${type}\ndata: ${JSON.stringify({ v: 1, runId: RUN, seq, ts: '', type, ...more })}\n\n`;
const opening = (cursor: number, retry = 0): string => `retry: ${retry}\nid: ${RUN}:${cursor}\n\n`;
const bye = (reason: string): string => `retry: 0\nevent: stream.bye\ndata: {"reason":"${reason}"}\n\n`;
const parked = event(2, 'run.parked', { interactions: ['int_1'] });
const END = 'run.completed';

const bodyOf = (text: string, stays = false): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text));
      if (!stays) controller.close();
    },
  });

const problem = (status: number): ScorpioError => new ScorpioError('', { status, code: `http_${status}` });

/** A server that answers each connection in turn with a text, an error, or nothing more. */
class Server implements RunSource {
  /** The cursor of each connection. */
  readonly opened: string[] = [];
  readonly answered: unknown[] = [];
  /** Whether the log goes on after the place asked for. */
  more = false;

  constructor(private readonly answers: (string | Error | ReadableStream<Uint8Array> | undefined)[]) {}

  async open(after: string): Promise<ReadableStream<Uint8Array> | undefined> {
    this.opened.push(after);
    const answer = this.answers[this.opened.length - 1];
    if (answer instanceof Error) throw answer;
    return typeof answer === 'string' ? bodyOf(answer) : answer;
  }

  hasMore = async (): Promise<boolean> => this.more;
  cancel = async (): Promise<Run> => ({}) as Run;

  async answer(...args: unknown[]): Promise<Interaction> {
    this.answered.push(args);
    return {} as Interaction;
  }

  read(options: StreamOptions = {}, first?: string): RunStream {
    return new RunStream(RUN, this, options, {
      sessionId: 'ses_1',
      first: first === undefined ? undefined : bodyOf(first),
    });
  }
}

async function placesOf(stream: RunStream): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq } of stream) seqs.push(seq);
  return seqs;
}

describe('the stream of a run', () => {
  it('goes on from its last event, and not at all after the terminal one', async () => {
    const server = new Server([opening(2) + event(3, END) + event(4, 'after.the.end')]);
    const stream = server.read(
      {},
      opening(0) + event(1, 'run.created') + event(2, 'run.started') + 'id: run_1:3\ndata: {"cut',
    );
    expect(await placesOf(stream)).toEqual([1, 2, 3]);
    expect(server.opened).toEqual(['run_1:2']);
  });

  it('drops what comes twice, and asks again for what is missing', async () => {
    const server = new Server([
      bodyOf(opening(0) + event(1, 'run.created') + event(1, 'run.created') + event(3, END), true),
      opening(1) + event(2, 'run.started') + event(3, END),
    ]);
    expect(await placesOf(server.read())).toEqual([1, 2, 3]);
    expect(server.opened).toEqual(['run_1:0', 'run_1:1']);
  });

  it('begins where a message joined a run that was under way', async () => {
    const server = new Server([opening(8) + event(9, END)]);
    const stream = server.read({}, opening(7) + event(8, 'input.accepted'));
    expect(await placesOf(stream)).toEqual([8, 9]);
    expect(server.opened).toEqual(['run_1:8']);
  });

  it('is over where the server has nothing more', async () => {
    expect(await placesOf(new Server([undefined]).read())).toEqual([]);
  });

  it('tries again after passing faults, and throws the others', async () => {
    const passing = [new TypeError('fetch failed'), problem(0), problem(429), problem(503)];
    for (const fault of [...passing, opening(0) + bye('drain')])
      expect(await placesOf(new Server([fault, opening(0) + event(1, END)]).read({}, opening(0)))).toEqual([1]);
    for (const status of [400, 401, 404, 410]) {
      const stream = new Server([problem(status)]).read();
      await expect(stream.final()).rejects.toMatchObject({ status });
    }
  });

  it('ends where the run waits for people', async () => {
    const server = new Server([]);
    const stream = server.read({}, opening(0) + event(1, 'run.created') + parked);
    expect(await stream.final()).toMatchObject({ status: 'waiting_input' });
    expect(server.opened).toEqual([]);
    await expect(stream.text()).rejects.toMatchObject({ code: 'waiting_input' });
  });

  it('goes on where it waited once, or the question was answered here', async () => {
    const text = opening(0) + event(1, 'run.created') + parked + event(3, END);
    const old = new Server([]);
    old.more = true;
    expect(await placesOf(old.read({}, text))).toEqual([1, 2, 3]);
    const server = new Server([]);
    const stream = server.read({}, text);
    await stream.answer('int_1', 'yes');
    expect(await placesOf(stream)).toEqual([1, 2, 3]);
    expect(server.answered).toEqual([['ses_1', 'int_1', { outcome: 'answered', value: 'yes' }]]);
  });

  it('ends with a connection that was closed because nobody answers; or waits', async () => {
    const text = opening(0) + event(1, 'run.created') + parked + bye('parked');
    const server = new Server([opening(2) + event(3, END)]);
    expect(await placesOf(server.read({ waitWhenParked: true }, text))).toEqual([1, 2, 3]);
    expect(await placesOf(new Server([]).read({}, opening(0) + event(1, 'run.created') + bye('parked')))).toEqual([1]);
  });

  describe('with time', () => {
    beforeEach(() => void jest.useFakeTimers());
    afterEach(() => void jest.useRealTimers());

    it('connects again when the server said, later after each failure, and gives up in the end', async () => {
      const server = new Server(Array.from({ length: 50 }, () => problem(503)));
      const end = server
        .read({ giveUpAfterMs: 60_000 }, opening(0, 700))
        .final()
        .catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(699);
      expect(server.opened).toHaveLength(0);
      await jest.advanceTimersByTimeAsync(1);
      expect(server.opened).toHaveLength(1);
      await jest.advanceTimersByTimeAsync(1_399);
      expect(server.opened).toHaveLength(1);
      await jest.advanceTimersByTimeAsync(1);
      expect(server.opened).toHaveLength(2);
      await jest.advanceTimersByTimeAsync(120_000);
      expect(await end).toMatchObject({ code: 'connection_failed', cause: { status: 503 } });
      const tries = server.opened.length;
      await jest.advanceTimersByTimeAsync(120_000);
      expect(server.opened).toHaveLength(tries);
    });

    it('waits no longer when it is told to leave', async () => {
      const stop = new AbortController();
      const server = new Server([]);
      const end = server
        .read({ signal: stop.signal }, opening(0, 5_000))
        .final()
        .catch((error: unknown) => error);
      await jest.advanceTimersByTimeAsync(1_000);
      stop.abort(new Error('enough'));
      expect(await end).toMatchObject({ message: 'enough' });
      expect(server.opened).toEqual([]);
    });
  });

  it('shows how far it is with each event', async () => {
    const stream = new Server([]).read(
      {},
      opening(0) + event(1, 'run.created', { sessionId: 'ses_1' }) + event(2, END),
    );
    const seen: [RunEvent['type'], string][] = [];
    for await (const { type } of stream) seen.push([type, stream.lastEventId]);
    expect(seen).toEqual([
      ['run.created', 'run_1:1'],
      ['run.completed', 'run_1:2'],
    ]);
  });
});
