import {
  RunNotCompletedError,
  createScorpio,
  fold,
  newRunState,
  textOf,
  type RunEvent,
  type Scorpio,
} from '@scorpio/sdk';
import { AppHarness } from '../support/app-harness';
import type { Faults } from '../support/chaos-proxy';
import { eventually } from '../support/eventually';
import { FakeLlm } from '../support/fake-llm';
import { asked } from '../support/fault-rig';
import { allOf, expectWhole, finished, rejection, shaky } from '../support/sdk-bench';
import { ServerProcess } from '../support/server-process';

const FAKE = 'fake/m';
const LONG = '[[tokens=2000]] go';

describe('streams of the client', () => {
  const fake = new FakeLlm();
  let app: AppHarness;
  let scorpio: Scorpio;
  const env = (): Record<string, string> => ({
    DEFAULT_MODEL: 'demo/scribe',
    LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: fake.url, models: ['m'] }]),
    LLM_MAX_ATTEMPTS: '2',
  });
  beforeAll(async () => {
    await fake.start();
    app = await AppHarness.start({ ...env(), SSE_HEARTBEAT_MS: '50' });
    scorpio = createScorpio({ baseUrl: app.url });
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });
  beforeEach(() => fake.reset());

  describe('streaming', () => {
    it('gives each event once with its type, and folds them as they come', async () => {
      const stream = await scorpio.chat.stream({ message: '/reason hm\n/say one two three' });
      const seen: RunEvent[] = [];
      let text = '';
      for await (const event of stream) {
        seen.push(event);
        if (event.type === 'part.delta') text += event.text;
        expect(stream.state.seq).toBe(event.seq);
      }
      expectWhole(seen);
      expect(text).toBe('hmone two three');
      expect(textOf(stream.state)).toBe('one two three');
      expect(stream.state).toMatchObject({ status: 'completed', title: expect.any(String), cost: 0 });
      expect(stream.state.usage!.outputTokens).toBeGreaterThan(0);
      expect(seen.reduce(fold, newRunState(stream.runId))).toEqual(stream.state);
      expect(stream.lastEventId).toBe(`${stream.runId}:${seen.length}`);
      const { items } = await scorpio.sessions.messages({ id: stream.sessionId });
      expect(stream.state.messages).toEqual(items.map(({ id }) => id));
    });

    it('loses nothing and repeats nothing however the connection is cut, and the message is sent once', async () => {
      const cuts: Faults[] = [2_000, 1_200, 3_000, 2_500].map((cutAfter) => ({ down: { cutAfter } }));
      await shaky(app.url, cuts, async (client, proxy, requests) => {
        const stream = await client.chat.stream({ message: LONG, model: FAKE });
        const events = await allOf(stream);
        expectWhole(events);
        expect(proxy.counts.cuts).toBe(cuts.length);
        expect(requests.map(({ method }) => method)).toEqual(['POST', 'GET', 'GET', 'GET', 'GET']);
        const cursors = requests.slice(1).map(({ headers }) => Number(headers.get('Last-Event-ID')?.split(':')[1]));
        expect(cursors).toEqual(cursors.toSorted((a, b) => a - b));
        expect(cursors[0]).toBeGreaterThan(0);
        expect(asked(fake, LONG)).toHaveLength(1);
        expect(textOf(stream.state)).toBe(fake.requests[0]!.text);
        expect(events).toEqual(await allOf(scorpio.runs.stream({ runId: stream.runId })));
        expect((await scorpio.runs.list({ sessionId: stream.sessionId })).items).toHaveLength(1);
      });
    });

    it('finds its run again when the answer to the message itself was cut off', async () => {
      // Before the headers: whether the server has the message, only its key can tell.
      const cuts: Faults[] = [{ down: { cutAfter: 5 } }, { down: { cutAfter: 5 } }];
      await shaky(app.url, cuts, async (client, proxy) => {
        const { id: sessionId } = await scorpio.sessions.create({});
        const stream = await client.chat.stream({ sessionId, message: LONG, model: FAKE });
        expectWhole(await allOf(stream));
        expect(proxy.counts).toMatchObject({ cuts: 2, connections: 3 });
        expect(asked(fake, LONG)).toHaveLength(1);
        expect((await scorpio.runs.list({ sessionId })).items.map(({ id }) => id)).toEqual([stream.runId]);
      });
    });

    it('leaves a connection that has gone silent', async () => {
      await shaky(app.url, [{ down: { swallowAfter: 1_500 } }], async (client, proxy) => {
        const stream = await client.chat.stream({ message: LONG, model: FAKE }, { idleTimeoutMs: 1_000 });
        expectWhole(await allOf(stream));
        expect(proxy.counts.connections).toBeGreaterThan(1);
      });
    });

    it('drops the text of a step that is begun again', async () => {
      const message = `[[tokens=60]] [[reset=40]] [[times=1]] again`;
      const stream = await scorpio.chat.stream({ message, model: FAKE });
      const events = await allOf(stream);
      expect(events.map(({ type }) => type)).toContain('step.reset');
      expect(textOf(stream.state)).toBe(asked(fake, message)[1]!.text);
      const { items } = await scorpio.sessions.messages({ id: stream.sessionId });
      expect(items[1]!.parts).toEqual([{ type: 'text', text: textOf(stream.state) }]);
    });

    it('reads an old run from any place, and nothing after its end', async () => {
      const { runId } = await finished(await scorpio.chat.stream({ message: '/long 30' }));
      const whole = await allOf(scorpio.runs.stream({ runId }));
      expectWhole(whole);
      expect(await allOf(scorpio.runs.stream({ runId, after: 3 }))).toEqual(whole.slice(3));
      expect(await allOf(scorpio.runs.stream({ runId, after: `${runId}:3` }))).toEqual(whole.slice(3));
      expect(await allOf(scorpio.runs.stream({ runId, after: whole.length }))).toEqual([]);
    });

    it('goes on without its reader: by leaving the loop, by a signal', async () => {
      const message = '/slow 30\n/long 20';
      const left = await scorpio.chat.stream({ message });
      for await (const event of left) if (event.type === 'part.delta') break;
      const stop = new AbortController();
      const stopped = await scorpio.chat.stream({ message }, { signal: stop.signal });
      const reading = async (): Promise<void> => {
        for await (const event of stopped) if (event.type === 'part.delta') stop.abort();
      };
      expect(await rejection(reading())).toMatchObject({ name: 'AbortError' });
      for (const { runId, lastEventId } of [left, stopped]) {
        const rest = await allOf(scorpio.runs.stream({ runId, after: lastEventId }));
        expect(rest[0]!.seq).toBe(Number(lastEventId.split(':')[1]) + 1);
        expect(rest.at(-1)!.type).toBe('run.completed');
      }
    });

    it('stops a run, and says so', async () => {
      const stream = await scorpio.chat.stream({ message: '/slow 50\n/long 500' });
      for await (const event of stream) if (event.type === 'part.delta' && stream.state.seq < 8) await stream.cancel();
      expect(stream.state).toMatchObject({ status: 'cancelled', cancelled: { reason: 'user' } });
      expect(await scorpio.runs.cancel({ runId: stream.runId })).toMatchObject({ status: 'cancelled' });
      const failure = scorpio.runs.stream({ runId: stream.runId }).text();
      expect(await rejection(failure)).toMatchObject({ name: 'RunNotCompletedError', code: 'cancelled' });
    });

    it('tells why a run failed, with what was said until then', async () => {
      const stream = await scorpio.chat.stream({ message: '/say half\n/fail auth' });
      const error = (await rejection(stream.text())) as unknown as RunNotCompletedError;
      expect(error).toBeInstanceOf(RunNotCompletedError);
      expect(error).toMatchObject({ code: 'provider_auth', state: { status: 'failed', error: { retryable: false } } });
    });
  });

  describe('asked something', () => {
    it('answers from within the loop, which goes on', async () => {
      const stream = await scorpio.chat.stream({ message: '/ask Which colour?', tools: ['ask_user'] });
      for await (const event of stream)
        if (event.type === 'interaction.requested') await stream.answer(event.interactionId, 'blue');
      expect(stream.state).toMatchObject({ status: 'completed', interactions: [], tools: [{ name: 'ask_user' }] });
      expect(textOf(stream.state)).toContain('blue');
    });

    it('ends its loop where nobody here answers, and reads on once somebody has', async () => {
      const stream = await scorpio.chat.stream({ message: '/ask Go on?', tools: ['ask_user'] });
      const { status, interactions } = await stream.final();
      expect({ status, interactions }).toMatchObject({ status: 'waiting_input', interactions: [{ prompt: 'Go on?' }] });
      const { sessionId, runId, lastEventId } = stream;
      const [open] = (await scorpio.runs.listInteractions({ sessionId })).items;
      expect(open).toMatchObject({ id: interactions[0]!.id, status: 'open' });
      await scorpio.runs.answer({ sessionId, interactionId: open!.id, value: 'yes' });
      expect((await allOf(scorpio.runs.stream({ runId, after: lastEventId }))).at(-1)!.type).toBe('run.completed');
      // The place where it waited is no end for those who read it later.
      expectWhole(await allOf(scorpio.runs.stream({ runId })));
    });

    it('waits for the answers of others where it is told to', async () => {
      const stream = await scorpio.chat.stream(
        { message: '/ask Go on?', tools: ['ask_user'] },
        { waitWhenParked: true },
      );
      const whole = allOf(stream);
      const open = await eventually(async () => {
        const [found] = (await scorpio.runs.listInteractions({ sessionId: stream.sessionId })).items;
        expect(found).toBeDefined();
        return found!;
      });
      await scorpio.runs.answer({ sessionId: stream.sessionId, interactionId: open.id, outcome: 'cancelled' });
      expectWhole(await whole);
    });
  });

  it('goes on in the same loop after the server was killed and started again', async () => {
    const server = await ServerProcess.start({ ...env(), RUN_LEASE_MS: '1500', SWEEP_INTERVAL_MS: '100' });
    try {
      const message = `[[tokens=80]] [[delay=20]] survive`;
      const client = createScorpio({ baseUrl: server.url });
      const stream = await client.chat.stream({ message, model: FAKE });
      const events: RunEvent[] = [];
      let restarted: Promise<void> | undefined;
      for await (const event of stream) {
        events.push(event);
        if (event.type === 'part.delta') restarted ??= server.kill().then(() => server.restart());
      }
      await restarted;
      expectWhole(events);
      expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['run.recovered', 'step.reset']));
      expect(textOf(stream.state)).toBe(asked(fake, message).at(-1)!.text);
      expect((await client.runs.list({ sessionId: stream.sessionId })).items).toHaveLength(1);
    } finally {
      await server.close();
    }
    // Two starts of the server, on machines with other work to do.
  }, 120_000);
});
