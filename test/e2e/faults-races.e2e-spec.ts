import { setTimeout as pause } from 'node:timers/promises';
import type { RunEvent } from '@scorpio/events';
import { ApiClient } from '../support/api-client';
import { ChatClient } from '../support/chat-client';
import { EffectLedger } from '../support/effect-ledger';
import { FakeLlm } from '../support/fake-llm';
import { FAST, beside, eventsStored, fakeModels, runIn, until } from '../support/fault-rig';
import { nothingLeft } from '../support/leftovers';
import { checkRun, effectsOnce } from '../support/oracles';
import { eventsOf, typesOf } from '../support/run-reads';
import { ServerProcess } from '../support/server-process';
import { SseReader, type RunRead } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const AT_ONCE = 20;
/** Races for the end in one conversation. */
const EACH = 10;
/** The wire server of the tests reads the slower the more it holds, so that it gets fewer. */
const RACES = {
  embedded: { end: 1_000, turn: 60, decision: 120 },
  wire: { end: 100, turn: 20, decision: 40 },
};
/** Over the wire a server hears of a cancel within half a second: runs must last so long, or they would always win. */
const PACE = { embedded: '[[tokens=3 delay=1]]', wire: '[[tokens=6 delay=40]]' };
/** How long people may take. */
const PARK_MS = 1_500;
const ASK = [{ tool: 'ledger__charge', arguments: { n: '1' }, action: 'ask' }];
const CLOSE = { connection: 'close' };

jest.setTimeout(240_000);

describeStores('runs that people race', (store) => {
  const fake = new FakeLlm();
  const races = RACES[store.name];
  let ledger: EffectLedger;
  let servers: ServerProcess[];
  /** The server of a number: one where there is one, else both by turns. */
  const at = (number: number): ServerProcess => servers[number % servers.length];
  const apiAt = (number: number): ApiClient => new ApiClient(at(number).url, CLOSE);
  const chatAt = (number: number): ChatClient => new ChatClient(apiAt(number));

  beforeAll(async () => {
    await fake.start();
    ledger = await EffectLedger.start();
    const env = { ...fakeModels(fake.url), ...FAST, ...store.env(), ...ledger.env() };
    const settings = { ...env, RUN_PARK_MS: String(PARK_MS), TOOL_RULES: JSON.stringify(ASK) };
    const count = store.name === 'wire' ? 2 : 1;
    servers = await Promise.all(Array.from({ length: count }, () => ServerProcess.start(settings)));
    for (const [number] of servers.entries())
      await until('the ledger is connected', async () => {
        const { body } = await apiAt(number).get('/api/v1/tools/list');
        return body.items.filter(({ name, available }: any) => name.startsWith('ledger__') && available).length === 3;
      });
  });
  beforeEach(() => {
    fake.reset();
    ledger.reset();
  });
  afterEach(async () => {
    for (const { url, store } of servers) await nothingLeft({ url, store }, fake);
  });
  afterAll(async () => {
    await Promise.all((servers ?? []).map((server) => server.close()));
    await ledger?.close();
    await fake.close();
  });

  /** The run is over, as a whole, and each of its calls has one result. @returns how it ended */
  async function over(number: number, read: RunRead): Promise<string> {
    await checkRun(apiAt(number), [read]);
    const results = eventsOf(read, 'tool.completed').map(({ callId }) => callId);
    expect(results).toEqual([...new Set(results)]);
    expect(results).toEqual(expect.arrayContaining(eventsOf(read, 'tool.requested').map(({ callId }) => callId)));
    return read.events.at(-1)!.type;
  }

  /** The conversation goes on: the model takes no history with a call or an answer out of place. @returns its next run */
  async function goesOn(number: number, sessionId: string): Promise<RunRead> {
    const next = await chatAt(number).send(sessionId, { message: 'And now? [[tokens=1]]' });
    expect(next).toMatchObject({ status: 200, body: { run: { status: 'completed' } } });
    return new SseReader(at(number).url).follow(next.body.run.id);
  }

  /** Tells each of the servers, or one of them, to stop the run. */
  async function cancel(number: number, runId: string): Promise<void> {
    const tellers = number % 3 ? [chatAt(number)] : servers.map((_server, index) => chatAt(index));
    for (const { status } of await Promise.all(tellers.map((chat) => chat.cancel(runId))))
      expect([200, 202]).toContain(status);
  }

  it('[F23] [F29] told to stop at any moment up to their last event say one of the two, each time', async () => {
    const events: RunEvent[] = [];
    const ends: Record<string, number> = {};
    const race = async (number: number, sessionId: string): Promise<void> => {
      const message = `Race ${number}. [[tool=ledger__charge {"n":0}]] ${PACE[store.name]}`;
      const sse = new SseReader(at(number).url);
      // Hears the run out to another event each time, and speaks up right then.
      const read = await sse.chat({ sessionId, message }, { cutAfter: 2 + (number % 26) });
      await cancel(number + 1, read.runId);
      await sse.follow(read);
      const end = await over(number, read);
      ends[end] = (ends[end] ?? 0) + 1;
      events.push(...eventsOf(read));
    };
    await beside(races.end / EACH, AT_ONCE, async (number) => {
      const sessionId = await chatAt(number).newSession({ tools: ledger.tools });
      for (let turn = 0; turn < EACH; turn++) await race(number * EACH + turn, sessionId);
      // Stopped before it said a word, a race is told the model again with this message, and is answered here.
      events.push(...eventsOf(await goesOn(number, sessionId)));
    });
    expect(Object.values(ends).reduce((sum, count) => sum + count)).toBe(races.end);
    effectsOnce(events, ledger);
    // Else they were no races.
    expect(Object.keys(ends).sort()).toEqual(['run.cancelled', 'run.completed']);
  });

  it('[F23] told to stop while they wait for their turn, or right as it comes, never begin, or end as a whole', async () => {
    await beside(races.turn, AT_ONCE, async (number) => {
      const chat = chatAt(number);
      const sessionId = await chat.newSession();
      const ahead = await chat.begin(sessionId, { message: `Ahead ${number}. [[stall=3]]` });
      // It has said something: a message without an answer would be told the model together with the next one.
      await eventsStored(apiAt(number), ahead, 5);
      const behind = await chat.begin(sessionId, { message: `Behind ${number}. ${PACE[store.name]}` });
      const together = number % 2 === 1;
      const stopped = cancel(number + 1, behind);
      if (!together) await stopped;
      await Promise.all([stopped, cancel(number, ahead)]);
      const sse = new SseReader(at(number).url);
      const [first, second] = await Promise.all([ahead, behind].map((runId) => sse.follow(runId)));
      expect(await over(number, first)).toBe('run.cancelled');
      const end = await over(number, second);
      if (!together) expect(typesOf(second)).toEqual(['run.created', 'run.cancelled']);
      expect(['run.cancelled', 'run.completed']).toContain(end);
      await goesOn(number, sessionId);
    });
  });

  it('[F23] approved, denied, stopped and expired at once do one of these, and nothing of the others', async () => {
    const outcomes: Record<string, number> = {};
    const events: RunEvent[] = [];
    await beside(races.decision, AT_ONCE, async (number) => {
      const chat = chatAt(number);
      const sessionId = await chat.newSession({ tools: ledger.tools });
      const runId = await chat.begin(sessionId, { message: `Decide ${number}. [[tool=ledger__charge {"n":1}]]` });
      // On a busy machine its time may be over before it is seen to wait.
      await runIn(apiAt(number), runId, 'waiting_input', 'failed');
      const [{ id, expiresAt }] = await chat.interactions(sessionId);
      const decide = async (outcome: string, teller: number): Promise<string[]> => {
        const { status } = await chatAt(teller).answer(sessionId, id, { outcome });
        expect([200, 409]).toContain(status);
        return status === 200 ? [outcome] : [];
      };
      const contenders = [
        () => decide('approved', number),
        () => decide('denied', number + 1),
        ...(number % 3 ? [async () => cancel(number, runId).then((): string[] => [])] : []),
      ];
      // Every other race is run about the time when the question expires.
      if (number % 2) await pause(Math.max(0, Date.parse(expiresAt) - Date.now() + 5 * (number % 9)));
      const turned = contenders.map((_contender, index) => contenders[(index + number) % contenders.length]);
      const taken = (await Promise.all(turned.map((contender) => contender()))).flat();
      const read = await new SseReader(at(number).url).follow(runId);
      const end = await over(number, read);
      await goesOn(number, sessionId);
      expect(taken.length).toBeLessThanOrEqual(1);
      const [{ outcome }, ...more] = eventsOf(read, 'interaction.resolved');
      expect(more).toEqual([]);
      // Whose answer was taken is heard, unless the run was stopped.
      expect([...taken, 'cancelled', ...(taken.length ? [] : ['expired'])]).toContain(outcome);
      if (outcome === 'expired') expect(end).toBe('run.failed');
      if (outcome === 'cancelled') expect(end).toBe('run.cancelled');
      expect(eventsOf(read, 'tool.started').length).toBeLessThanOrEqual(outcome === 'approved' ? 1 : 0);
      expect((await chat.interactions(sessionId)).map(({ status }) => status)).not.toContain('open');
      outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
      events.push(...eventsOf(read));
    });
    effectsOnce(events, ledger);
    expect(Object.keys(outcomes).sort()).toEqual(['approved', 'cancelled', 'denied', 'expired']);
  });
});
