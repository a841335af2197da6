import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { FakeLlm } from '../support/fake-llm';
import { checkRun, fold } from '../support/oracles';
import { eventsOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';
import { tempDir } from '../support/temp-dir';

const FIRST = 'first/m';
const SECOND = 'second/m';
const IMAGE = { type: 'image', mediaType: 'image/png', data: 'AQID' };

describeStores('the model of a message', (store) => {
  const first = new FakeLlm();
  const second = new FakeLlm();
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;

  beforeAll(async () => {
    await Promise.all([first.start(), second.start()]);
    const modelsFile = join(tempDir(), 'models.json');
    const capabilities = { images: false, documents: false };
    writeFileSync(modelsFile, JSON.stringify({ 'second/blind': { capabilities, contextWindow: 10_000 } }));
    app = await AppHarness.start({
      LLM_ENDPOINTS: JSON.stringify([
        { name: 'first', baseUrl: first.url, models: ['m'] },
        { name: 'second', baseUrl: second.url, models: ['m', 'blind'] },
      ]),
      FALLBACK_MODELS: `openai/gpt-6-luna, ${FIRST}, ${SECOND}`,
      LLM_MAX_ATTEMPTS: '1',
      MODELS_FILE: modelsFile,
      ...store.env(),
    });
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  });
  beforeEach(() => [first, second].forEach((fake) => fake.reset()));
  afterAll(async () => {
    await app?.close();
    await Promise.all([first.close(), second.close()]);
  });

  describe('when it cannot answer', () => {
    it('gives way to the next of the chain, wherever it breaks off, and no text is shown twice', async () => {
      for (const resetAfter of [0, 1, 2, 3, 4, 5]) {
        first.next({ tokens: 5, resetAfter, ...(resetAfter === 5 && { endAfter: 4 }) });
        const read = await sse.follow(await sse.chat({ message: 'hi', model: FIRST }));
        await checkRun(api, [read], [second.requests.at(-1)!.text]);
        expect(fold(eventsOf(read)).map(({ text }) => text)).toEqual([second.requests.at(-1)!.text]);
        expect(eventsOf(read, 'step.reset')).toMatchObject([{ reason: 'fallback', attempt: 1 }]);
        expect(eventsOf(read, 'step.started')).toMatchObject([
          { provider: 'first' },
          { provider: 'second', model: 'm' },
        ]);
      }
      expect(first.requests).toHaveLength(6);
    });

    it('is not asked again in the same run, and the messages name the one that answered', async () => {
      first.fallback = { status: 401 };
      second.next({ tools: [{ name: 'nothing', arguments: '{}' }] });
      const sessionId = await chat.newSession({ model: FIRST });
      const answer = await chat.send(sessionId, { message: 'hi' });
      expect(answer.body).toMatchObject({ run: { status: 'completed', model: FIRST } });
      const models = (await chat.messages(sessionId))
        .filter(({ role }) => role === 'assistant')
        .map(({ model }) => model);
      expect([models, first.requests.length, second.requests.length]).toEqual([[SECOND, SECOND], 1, 2]);
    });

    it('fails the run with the failure of the last of the chain', async () => {
      first.fallback = { status: 500 };
      second.fallback = { status: 401 };
      const sessionId = await chat.newSession({ model: FIRST });
      const { body } = await chat.send(sessionId, { message: 'hi' });
      expect(body.run).toMatchObject({ status: 'failed', error: { code: 'provider_auth' } });
      expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    });

    it('leaves the chain alone where the message is at fault', async () => {
      first.fallback = { status: 400, code: 'context_length_exceeded' };
      const sessionId = await chat.newSession({ model: FIRST });
      const { body } = await chat.send(sessionId, { message: 'hi' });
      expect(body.run).toMatchObject({ status: 'failed', error: { code: 'context_overflow' } });
      expect(second.requests).toHaveLength(0);
    });
  });

  describe('is given options of its vendor', () => {
    const options = (vendorOptions: unknown) =>
      chat.newSession({ model: FIRST }).then((id) => chat.send(id, { message: 'hi', vendorOptions }));

    it('as they are, its own or those of one that stands in', async () => {
      first.next({ status: 500 });
      const { body } = await options({ first: { seed: 7 }, second: { top_p: 0.5 } });
      expect(body.run.status).toBe('completed');
      expect(first.requests[0].body).toMatchObject({ seed: 7 });
      expect(first.requests[0].body).not.toHaveProperty('top_p');
      expect(second.requests[0].body).toMatchObject({ top_p: 0.5 });
    });

    it.each([
      [{ anthropic: { top_k: 3 } }, 'vendor_option_refused', 'vendorOptions.anthropic'],
      [{ first: { messages: [] } }, 'vendor_option_refused', 'vendorOptions.first.messages'],
      [{ first: 3 }, 'validation_failed', 'vendorOptions'],
      [{ first: { seed: 'x'.repeat(33_000) } }, 'validation_failed', 'vendorOptions'],
    ])('and nothing else: %#', async (given, code, field) => {
      const answer = await options(given);
      expect(answer).toMatchObject({ status: 400, body: { code, field } });
      expect(first.requests).toHaveLength(0);
    });
  });

  describe('is not asked for what it cannot do', () => {
    it.each([
      [{ message: [{ type: 'text', text: 'look' }, IMAGE] }, 'message[1]'],
      [{ message: [{ type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data: 'AQID' }] }, 'message[0]'],
    ])('%#', async (body, field) => {
      const refused = await api.post('/api/v1/chat/sse', { model: 'second/blind', ...body });
      expect(refused).toMatchObject({ status: 400, body: { code: 'unsupported_by_model', field } });
    });

    it('nor with a message that alone is more than it takes', async () => {
      const message = 'x'.repeat(60_000);
      expect(await api.post('/api/v1/chat/sse', { model: 'second/blind', message })).toMatchObject({
        status: 413,
        body: { code: 'context_overflow', field: 'message' },
      });
      expect(second.requests).toHaveLength(0);
    });
  });
});
