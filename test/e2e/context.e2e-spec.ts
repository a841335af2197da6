import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { FakeLlm } from '../support/fake-llm';
import { fakeModels } from '../support/fault-rig';
import { checkRun } from '../support/oracles';
import { eventsOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const OVERFLOW = { status: 400, code: 'context_length_exceeded', message: 'Too long.' };

describeStores('a conversation that grows too long', (store) => {
  const fake = new FakeLlm();
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;
  let sessionId: string;

  beforeAll(async () => {
    await fake.start();
    app = await AppHarness.start({ ...fakeModels(fake.url), ...store.env() });
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  });
  beforeEach(async () => {
    fake.reset();
    sessionId = await chat.newSession();
    for (const message of ['The first. [[tokens=400]]', 'The second. [[tokens=400]]', 'The third. [[tokens=400]]'])
      await chat.send(sessionId, { message });
    fake.reset();
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });

  const told = (): { role: string; content: string }[] => fake.requests.at(-1)!.body.messages as never;

  it('is summed up when the model refuses it, and answered; the messages stay', async () => {
    const before = await chat.messages(sessionId);
    fake.next(OVERFLOW, { text: 'They counted.' });
    const read = await sse.chat({ sessionId, message: 'The fourth. [[tokens=3]]' });
    await checkRun(api, [read], ['t00001 t00002 t00003']);
    expect(eventsOf(read, 'context.compacted')).toMatchObject([{ step: 1, model: 'fake/model' }]);
    const [{ tokensBefore, tokensAfter, toMessageId }] = eventsOf(read, 'context.compacted');
    expect(tokensAfter).toBeLessThan(tokensBefore);
    expect(told()[0].content).toContain('They counted.');
    expect(told().at(-1)!.content).toContain('The fourth.');
    expect(JSON.stringify(told())).not.toContain('The first.');
    const messages = await chat.messages(sessionId);
    expect(messages.filter(({ role }) => role !== 'summary').slice(0, before.length)).toEqual(before);
    expect(messages.find(({ id }) => id === toMessageId)).toMatchObject({ role: 'summary' });
    // The next turn begins with the summary too.
    await chat.send(sessionId, { message: 'The fifth. [[tokens=3]]' });
    expect(told()[0].content).toContain('They counted.');
    const { body } = await api.get(`/api/v1/sessions/${sessionId}/context`);
    expect(body).toMatchObject({ model: 'fake/model', summarised: true });
  });

  it('is summed up three times at most, and then the run says what is the matter', async () => {
    fake.next(OVERFLOW, { text: 'One.' }, OVERFLOW, { text: 'Two.' }, OVERFLOW, { text: 'Three.' }, OVERFLOW, OVERFLOW);
    const read = await sse.chat({ sessionId, message: 'The fourth.' });
    await checkRun(api, [read]);
    expect(eventsOf(read, 'context.compacted').length).toBeLessThanOrEqual(3);
    expect(eventsOf(read).at(-1)).toMatchObject({ type: 'run.failed', code: 'context_overflow' });
    expect(fake.requests.length).toBeLessThanOrEqual(7);
  });

  it('is summed up when asked, by a run that the ledger knows', async () => {
    fake.next({ text: 'They counted.' });
    const { status, body: run } = await api.post(`/api/v1/sessions/${sessionId}/compact`);
    expect(status).toBe(202);
    await chat.runIs(run.id, 'completed');
    expect(eventsOf(await sse.follow(run.id), 'context.compacted')).toHaveLength(1);
    const { body: context } = await api.get(`/api/v1/sessions/${sessionId}/context`);
    expect(context).toMatchObject({ summarised: true });
    await chat.send(sessionId, { message: 'And on. [[tokens=3]]' });
    expect(told()[0].content).toContain('They counted.');
    const session = (await chat.session(sessionId)).body;
    const { body: usage } = await api.get(`/api/v1/usage/calls?sessionId=${sessionId}`);
    const sum = usage.items.reduce((total: number, call: any) => total + call.usage.outputTokens, 0);
    expect(usage.items).toHaveLength(5);
    expect(session.usage.outputTokens).toBe(sum);
  });
});
