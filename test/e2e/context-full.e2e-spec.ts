import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { FakeLlm } from '../support/fake-llm';
import { fakeModels } from '../support/fault-rig';
import { checkRun, replay } from '../support/oracles';
import { eventsOf, typesOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';
import { tempDir } from '../support/temp-dir';

const WINDOW = 2_000;
const FULL_AT = 1_600;
const OVERFLOW = { status: 400, code: 'context_length_exceeded', message: 'Too long.' };
const WRITES_MEMORY = 'You write the memory';

interface Told {
  role: string;
  content: string;
  tool_calls?: { id: string }[];
  tool_call_id?: string;
}

describeStores('a conversation that comes near the end of the window', (store) => {
  const fake = new FakeLlm();
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;
  let sessionId: string;

  beforeAll(async () => {
    await fake.start();
    const file = join(tempDir(), 'models.json');
    writeFileSync(file, JSON.stringify({ 'fake/model': { contextWindow: WINDOW } }));
    app = await AppHarness.start({ ...fakeModels(fake.url), ...store.env(), MODELS_FILE: file });
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  });
  beforeEach(() => fake.reset());
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });

  const context = async () => (await api.get(`/api/v1/sessions/${sessionId}/context`)).body;
  const toldAt = (index: number): Told[] => fake.requests.at(index)!.body.messages as Told[];

  /** Talks until the estimate is past the mark, and gives the ids of the runs it took. */
  async function grow(): Promise<string[]> {
    sessionId = await chat.newSession({ tools: ['todo'] });
    const runs: string[] = [];
    const call = '[[tool=todo {"items":[{"text":"one","status":"done"}]}]]';
    const say = async (message: string) => runs.push((await chat.send(sessionId, { message })).body.run.id);
    // The last answer is what goes past the mark, and no question before it.
    while ((await context()).tokens.total <= FULL_AT - 160)
      await say(`Turn ${runs.length + 1} [[tokens=50]] ${runs.length % 2 ? '' : call}`);
    await say('The last turn [[tokens=100]]');
    expect((await context()).tokens.total).toBeGreaterThan(FULL_AT);
    expect(await context()).toMatchObject({ contextWindow: WINDOW, compactsAt: FULL_AT, summarised: false });
    // Nothing was summed up on the way.
    expect(fake.requests.some(({ body }) => JSON.stringify(body.messages).includes(WRITES_MEMORY))).toBe(false);
    fake.reset();
    return runs;
  }

  it('is summed up before the model is asked, which hears the summary; nothing that was said is lost', async () => {
    const runs = await grow();
    const before = await chat.messages(sessionId);
    const logs = await Promise.all(runs.map((id) => replay(api, id)));
    fake.next({ text: 'They went on and on.' }, { text: 'Well remembered.' });
    const read = await sse.chat({ sessionId, message: 'And now?' });
    await checkRun(api, [read], ['Well remembered.']);
    const types = typesOf(read);
    expect(types.filter((type) => type === 'context.compacted')).toHaveLength(1);
    expect(types.indexOf('context.compacted')).toBeLessThan(types.indexOf('step.started'));
    const [{ tokensBefore, tokensAfter, toMessageId }] = eventsOf(read, 'context.compacted');
    expect(tokensBefore).toBeGreaterThan(FULL_AT);
    expect(tokensAfter).toBeLessThan(FULL_AT);

    // One call for the summary, one for the answer; no model refused anything.
    expect(fake.requests.map(({ status }) => status)).toEqual([200, 200]);
    expect(toldAt(0)[0].content).toContain(WRITES_MEMORY);
    expect(toldAt(0)[1].content).toContain('Turn 1 ');
    const told = toldAt(1);
    expect(told[0]).toMatchObject({ role: 'user', content: expect.stringContaining('They went on and on.') });
    expect(told.at(-1)!.content).toBe('And now?');
    expect(JSON.stringify(told)).not.toContain('Turn 1 ');
    const asked = told.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }) => id));
    expect(asked.length).toBeGreaterThan(0);
    expect(told.flatMap(({ tool_call_id }) => tool_call_id ?? [])).toEqual(asked);

    const after = await chat.messages(sessionId);
    expect(after.filter(({ role }) => role !== 'summary').slice(0, before.length)).toEqual(before);
    expect(after.find(({ id }) => id === toMessageId)).toMatchObject({ role: 'summary' });
    expect(await Promise.all(runs.map((id) => replay(api, id)))).toEqual(logs);
    const { summarised, tokens } = await context();
    expect(summarised).toBe(true);
    expect(tokens.total).toBeLessThan(FULL_AT);
  });

  it('is summed up three times at most, the one before the question included; then the run says why it ends', async () => {
    await grow();
    const before = await chat.messages(sessionId);
    fake.next({ text: 'One.' }, OVERFLOW, { text: 'Two.' }, OVERFLOW, { text: 'Three.' }, OVERFLOW, { text: 'Four.' });
    const read = await sse.chat({ sessionId, message: 'And now?' });
    await checkRun(api, [read]);
    expect(eventsOf(read, 'context.compacted')).toHaveLength(3);
    expect(eventsOf(read).at(-1)).toMatchObject({ type: 'run.failed', code: 'context_overflow' });
    const memories = fake.requests.filter(({ body }) => JSON.stringify(body.messages).includes(WRITES_MEMORY));
    expect([memories.length, fake.requests.length]).toEqual([3, 6]);
    const kept = (await chat.messages(sessionId)).filter(({ role }) => role !== 'summary');
    expect(kept.slice(0, before.length)).toEqual(before);
    // The session is not lost: what is said next is answered.
    fake.reset();
    expect((await chat.send(sessionId, { message: 'Still there? [[tokens=2]]' })).body.run.status).toBe('completed');
  });

  it('goes on as it is where no summary can be had', async () => {
    await grow();
    fake.next({ status: 400, message: 'No memory today.' }, { text: 'All the same.' });
    const read = await sse.chat({ sessionId, message: 'And now?' });
    await checkRun(api, [read], ['All the same.']);
    expect(eventsOf(read, 'context.compacted')).toEqual([]);
    expect(JSON.stringify(toldAt(1))).toContain('Turn 1 ');
  });
});
