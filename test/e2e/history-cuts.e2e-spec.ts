import { randomBytes } from 'node:crypto';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { FakeLlm, type Behaviour } from '../support/fake-llm';
import { runIn } from '../support/fault-rig';
import { eventsOf, sessionOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const KEY = randomBytes(24).toString('hex');
/** One model of each wire form; the fake refuses what its vendor would refuse, unpaired calls first of all. */
const MODELS = ['fake/model', 'openai/gpt-6-luna', 'anthropic/claude-sonnet-5-5', 'google/gemini-4-hydrogen'];
const TOOLS = ['one', 'two'].map((name) => ({ name, arguments: '{"path":"notes.md"}' }));
/** Reasoning, text and two calls at once, none of which has a tool; then an answer to their errors. */
const STEPS: Behaviour[] = [
  { reasoning: 3, tokens: 3, tools: TOOLS },
  { reasoning: 2, tokens: 4 },
];
/** Slow enough that a cut comes in the middle. */
const SLOW = STEPS.map((step) => ({ ...step, delayMs: 4 }));
const SESSIONS = '/api/v1/sessions';

jest.setTimeout(120_000);

describeStores('a conversation that was cut', (store) => {
  const fake = new FakeLlm();
  let harness: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;

  beforeAll(async () => {
    await fake.start();
    harness = await AppHarness.start({
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: fake.url,
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: fake.origin,
      GEMINI_API_KEY: KEY,
      GEMINI_BASE_URL: fake.origin,
      LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: fake.url, apiKey: KEY, models: ['model'] }]),
      LLM_MAX_ATTEMPTS: '1',
      RATE_LIMIT_GENERAL: '0',
      ...store.env(),
    });
    api = harness.api();
    chat = new ChatClient(api);
    sse = harness.sse();
  });
  beforeEach(() => fake.reset());
  afterAll(async () => {
    await harness?.close();
    await fake.close();
  });

  /** Sends a new message to each vendor; each must accept all that was said before. @returns how many calls that was */
  async function goesOnEverywhere(sessionId: string, cut: unknown): Promise<number> {
    fake.reset();
    fake.fallback = { reasoning: 1, tokens: 2 };
    for (const model of MODELS) {
      const { status, body } = await chat.send(sessionId, { message: 'And now?', model });
      expect({ cut, model, status, run: body.run }).toMatchObject({ status: 200, run: { status: 'completed' } });
    }
    const pairs = fake.requests.map(({ body }) => callsAndResults(body));
    for (const { calls, results } of pairs) expect({ cut, results }).toEqual({ cut, results: calls });
    expect(fake.requests.map(({ status }) => status)).toEqual(MODELS.map(() => 200));
    return pairs[0].calls.length;
  }

  /** Which vendor is cut goes round: each is cut in many places, and each place is tried. */
  const cutOne = (place: number): string => MODELS[place % MODELS.length];

  it('by cancelling at every event goes on with every vendor', async () => {
    fake.next(...STEPS);
    const events = eventsOf(await sse.chat({ message: 'Go.', model: MODELS[0] })).map(({ type }) => type);
    expect(events).toEqual(expect.arrayContaining(['tool.completed', 'run.completed']));
    let paired = 0;
    for (let cutAfter = 1; cutAfter < events.length; cutAfter++) {
      fake.reset();
      fake.next(...SLOW);
      const read = await sse.chat({ message: 'Go.', model: cutOne(cutAfter) }, { cutAfter });
      await chat.cancel(read.runId);
      const { status } = await runIn(api, read.runId);
      expect(['cancelled', 'completed']).toContain(status);
      paired += await goesOnEverywhere(sessionOf(read), { cutAfter, at: events[cutAfter - 1] });
    }
    // Some cuts came after the calls.
    expect(paired).toBeGreaterThan(0);
  });

  it('by a failure after every token goes on with every vendor', async () => {
    let place = 0;
    for (const [step, { reasoning = 0, tokens = 0, tools = [] }] of STEPS.entries())
      for (let after = 0; after < reasoning + tokens + tools.length; after++) {
        fake.reset();
        fake.next(...STEPS.slice(0, step), { ...STEPS[step], endAfter: after });
        const sessionId = await chat.newSession();
        const run = await runIn(api, await chat.begin(sessionId, { message: 'Go.', model: cutOne(place++) }));
        expect(run).toMatchObject({ status: 'failed' });
        expect(await goesOnEverywhere(sessionId, { step, after })).toBe(step * TOOLS.length);
      }
  });

  it('by cancelling a question goes on with every vendor', async () => {
    const sessionId = await chat.newSession({ tools: ['ask_user'] });
    fake.next({ tools: [{ name: 'ask_user', arguments: '{"question":"Which?"}' }, ...TOOLS] });
    const runId = await chat.begin(sessionId, { message: 'Go.', model: MODELS[0] });
    await chat.runIs(runId, 'waiting_input');
    await chat.cancel(runId);
    await chat.runIs(runId, 'cancelled');
    expect(await goesOnEverywhere(sessionId, 'question')).toBe(3);
  });

  it('by being imported in part goes on with every vendor', async () => {
    const sessionId = await chat.newSession();
    fake.next(...STEPS, ...STEPS);
    for (const model of MODELS.slice(2)) await chat.send(sessionId, { message: 'Go.', model });
    const exported = (await api.get(`${SESSIONS}/${sessionId}/export`)).body;
    expect(exported.messages.map(({ role }: { role: string }) => role)).toEqual([
      ...['user', 'assistant', 'tool', 'assistant', 'user', 'assistant', 'tool', 'assistant'],
    ]);
    const seen: number[] = [];
    for (const first of [1, 3, 4, 5, 7]) {
      const made = await api.post(`${SESSIONS}/import`, { ...exported, messages: exported.messages.slice(first) });
      expect(made).toMatchObject({ status: 201 });
      seen.push(await goesOnEverywhere(made.body.id, { first }));
    }
    // What comes before the first thing that a user said is told only where no user said anything.
    expect(seen).toEqual([2, 2, 2, 2, 0]);
  });
});

/** The ids of calls and of results in a request of whatever wire form, in their order. */
function callsAndResults(body: unknown): { calls: unknown[]; results: unknown[] } {
  const found = { calls: [] as unknown[], results: [] as unknown[] };
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const fields = value as Record<string, any>;
    if (fields.type === 'function' && fields.function?.arguments !== undefined) found.calls.push(fields.id);
    if (fields.type === 'function_call') found.calls.push(fields.call_id);
    if (fields.type === 'tool_use') found.calls.push(fields.id);
    if (fields.functionCall) found.calls.push(fields.functionCall.id);
    if (fields.role === 'tool') found.results.push(fields.tool_call_id);
    if (fields.type === 'function_call_output') found.results.push(fields.call_id);
    if (fields.type === 'tool_result') found.results.push(fields.tool_use_id);
    if (fields.functionResponse) found.results.push(fields.functionResponse.id);
    Object.values(fields).forEach(look);
  };
  look(body);
  return found;
}
