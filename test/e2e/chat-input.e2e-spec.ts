import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { FakeLlm } from '../support/fake-llm';
import { sessionOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const FAKE = 'fake/m';

describeStores('what is sent with a message', (store) => {
  const fake = new FakeLlm();
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;
  beforeAll(async () => {
    await fake.start();
    const vendor = { baseUrl: fake.url, models: ['m'] };
    app = await AppHarness.start({
      DEFAULT_MODEL: 'demo/scribe',
      LLM_ENDPOINTS: JSON.stringify([
        { name: 'fake', ...vendor },
        { name: 'other', api: 'responses', ...vendor },
      ]),
      BODY_LIMIT: '2500000',
      ...store.env(),
    });
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });
  beforeEach(() => fake.reset());

  describe('is told to the model', () => {
    const asked = () => fake.requests.at(-1)!.body as any;

    it('tells it the conversation so far, calls paired with their results', async () => {
      fake.next(
        { text: 'first', tools: [{ name: 'look', arguments: '{"a":1}' }] },
        { text: 'second' },
        { text: 'third' },
      );
      const sessionId = await chat.newSession({ model: FAKE });
      await chat.send(sessionId, { message: 'one' });
      await chat.send(sessionId, { message: 'two' });
      const { id } = asked().messages[1].tool_calls[0];
      expect(asked().messages).toMatchObject([
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'first', tool_calls: [{ function: { name: 'look', arguments: '{"a":1}' } }] },
        { role: 'tool', tool_call_id: id },
        { role: 'assistant', content: 'second' },
        { role: 'user', content: 'two' },
      ]);
    });

    it('gives it images and files, by bytes and by address', async () => {
      const png = Buffer.from('not really a png');
      const message = [
        { type: 'text', text: 'what are these?' },
        { type: 'image', mediaType: 'image/png', data: png.toString('base64') },
        { type: 'image', mediaType: 'image/webp', url: 'https://example.com/a.webp' },
        { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data: png.toString('base64') },
        { type: 'file', mediaType: 'application/pdf', name: 'b.pdf', url: 'https://example.com/b.pdf' },
      ];
      const sessionId = await chat.newSession();
      expect((await chat.send(sessionId, { message, model: 'other/m' })).body.run.status).toBe('completed');
      const expected = [
        { type: 'input_text', text: 'what are these?' },
        { type: 'input_image', image_url: `data:image/png;base64,${png.toString('base64')}` },
        { type: 'input_image', image_url: 'https://example.com/a.webp' },
        { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${png.toString('base64')}` },
        { type: 'input_file', file_url: 'https://example.com/b.pdf' },
      ];
      expect(asked().input[0].content).toMatchObject(expected);
      const [{ parts }] = await chat.messages(sessionId);
      expect(parts).toMatchObject([
        { type: 'text' },
        { type: 'image', mediaType: 'image/png', blobId: expect.stringMatching(/^blob_/) as string },
        { type: 'image', url: 'https://example.com/a.webp' },
        { type: 'file', name: 'a.pdf', blobId: expect.stringMatching(/^blob_/) as string },
        { type: 'file', name: 'b.pdf', url: 'https://example.com/b.pdf' },
      ]);
      expect((await api.get(`/api/v1/blobs/${parts[1].blobId}`)).text).toBe(png.toString());
      // And again when the conversation goes on.
      await chat.send(sessionId, { message: 'and now?', model: 'other/m' });
      expect(asked().input[0].content).toMatchObject(expected);
    });

    it('passes on how to answer', async () => {
      const schema = {
        type: 'object',
        properties: { tags: { type: 'array', items: { $ref: '#/$defs/tag' } } },
        $defs: { tag: { type: 'string', const: 'x' } },
        required: ['tags'],
        additionalProperties: false,
      };
      const settings = {
        instructions: 'Be brief.',
        temperature: 0,
        maxOutputTokens: 77,
        reasoning: { effort: 'low' },
        responseFormat: { type: 'json_schema', name: 'tags', schema },
        tools: ['ask_user'],
        metadata: { 'a.b': 'one', case: '$where' },
      };
      const sessionId = await chat.newSession({ instructions: 'Be long.', metadata: { of: 'session' } });
      const { body } = await chat.send(sessionId, { message: 'hi', model: FAKE, ...settings });
      expect(asked()).toMatchObject({
        model: 'm',
        messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user' }],
        temperature: 0,
        max_tokens: 77,
        reasoning_effort: 'low',
        response_format: { type: 'json_schema', json_schema: { name: 'tags', schema, strict: true } },
        tools: [{ type: 'function', function: { name: 'ask_user' } }],
      });
      expect(body.run).toMatchObject({ model: FAKE, metadata: settings.metadata });
      expect((await chat.run(body.run.id)).body.metadata).toEqual(settings.metadata);

      // They were this run's alone.
      await chat.send(sessionId, { message: 'hi', model: FAKE });
      expect(asked().messages[0]).toEqual({ role: 'system', content: 'Be long.' });
      expect(asked()).not.toHaveProperty('tools');
      expect(asked()).not.toHaveProperty('response_format');
    });

    it('makes them the settings of a session that the message makes', async () => {
      const settings = { model: FAKE, instructions: 'Be brief.', tools: ['ask_user'], metadata: { project: 'atlas' } };
      const read = await sse.chat({ message: 'hi', ...settings });
      expect((await chat.session(sessionOf(read))).body).toMatchObject(settings);
      await chat.send(sessionOf(read), { message: 'more' });
      expect(asked()).toMatchObject({ model: 'm', messages: [{ role: 'system', content: 'Be brief.' }, {}, {}, {}] });
      expect(asked().tools).toHaveLength(1);
    });

    it('answers in the form that was asked for', async () => {
      const schema = { type: 'object', properties: { done: { type: 'boolean' } }, required: ['done'] };
      const { body } = await chat.send(await chat.newSession(), {
        message: 'hi',
        responseFormat: { type: 'json_schema', schema },
      });
      expect(JSON.parse(body.text)).toEqual({ done: true });
    });
  });

  describe('is refused', () => {
    const NOBODY = '01ARZ3NDEKTSV4RRFFQ69G5FAV';
    const data = Buffer.from('x').toString('base64');
    const url = 'https://example.com/a';
    const image = { type: 'image', mediaType: 'image/png' };
    const file = { type: 'file', mediaType: 'text/plain', name: 'a' };
    const format = { type: 'json_schema', schema: {} };
    const words = { type: 'text', text: 'a' };

    /** Nothing is made of it, and the one form of error answers names the field. */
    async function refused(body: unknown, status: number, code: string, field?: string): Promise<void> {
      const before = (await api.all('/api/v1/sessions?limit=100')).length;
      const answer = await api.post('/api/v1/chat/sse', body);
      const { detail, requestId, ...problem } = answer.body;
      expect({ ...problem, field: problem.field }).toMatchObject({ status, code, field });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('content-type')).toBe('application/problem+json');
      expect(detail).toMatch(/\S/);
      expect(requestId).toBe(answer.headers.get('x-request-id'));
      expect((await api.all('/api/v1/sessions?limit=100')).length).toBe(before);
    }

    it.each<[string, unknown]>([
      ['message', undefined],
      ['message', ' \n'],
      ['message', 7],
      ['message', {}],
      ['message', []],
      ['message', Array(65).fill(words)],
      ['message[0]', ['hi']],
      ['message[0].type', [{ text: 'hi' }]],
      ['message[0].type', [{ type: 'toString' }]],
      ['message[0].text', [{ type: 'text', text: '' }]],
      ['message[1].role', [words, { ...words, role: 'system' }]],
      ['message[0].mediaType', [{ ...image, mediaType: 'image/svg+xml', data }]],
      ['message[0].mediaType', [{ ...file, mediaType: 'text/plain\r\nx: y', data }]],
      ['message[0]', [image]],
      ['message[0]', [{ ...image, data, url }]],
      ['message[1].data', [words, { ...image, data: '!' }]],
      ['message[0].url', [{ ...image, url: 'http://example.com/a' }]],
      ['message[0].url', [{ ...file, url: 'file:///etc/passwd' }]],
      ['message[0].url', [{ ...image, url: 'https://a:b@example.com' }]],
      ['message[0].name', [{ ...file, name: ' ', data }]],
      ['message[0].__proto__', JSON.parse('[{"type":"text","text":"a","__proto__":{}}]')],
    ])('with %s at fault (%#)', (field, message) => refused({ message }, 400, 'validation_failed', field));

    it.each<[string, object]>([
      ['stream', { stream: true }],
      ['ownerId', { ownerId: 'somebody' }],
      ['tenantId', { tenantId: 'somebody' }],
      ['sessionId', { sessionId: 'ses_1' }],
      ['sessionId.$gt', { sessionId: { $gt: '' } }],
      ['model', { model: 'gpt' }],
      ['model', { model: ['demo/scribe'] }],
      ['tools', { tools: ['a b'] }],
      ['tools', { tools: 'ask_user' }],
      ['instructions', { instructions: { text: 'x' } }],
      ['temperature', { temperature: 2.1 }],
      ['temperature', { temperature: '1' }],
      ['maxOutputTokens', { maxOutputTokens: 0.5 }],
      ['reasoning.effort', { reasoning: { effort: 'extreme' } }],
      ['responseFormat.type', { responseFormat: { ...format, type: 'xml' } }],
      ['responseFormat.schema', { responseFormat: { type: 'json_schema' } }],
      ['responseFormat.name', { responseFormat: { ...format, name: 'a b' } }],
      ['responseFormat.schema.$where', { responseFormat: { ...format, schema: { $where: '1' } } }],
      ['metadata', { metadata: { a: 1 } }],
      ['metadata.$ne', { metadata: { $ne: '' } }],
      ['onBusy', { onBusy: 'rollback' }],
      ['__proto__', JSON.parse('{"__proto__":{"admin":true}}')],
      ['constructor', { constructor: { prototype: {} } }],
    ])('with %s at fault beside a message (%#)', (field, settings) =>
      refused({ message: 'hi', ...settings }, 400, 'validation_failed', field),
    );

    it('for what is not there, with a code', async () => {
      await refused({ message: 'hi', sessionId: `ses_${NOBODY}` }, 404, 'session_not_found');
      await refused({ message: 'hi', model: 'nobody/knows' }, 404, 'model_not_found', 'model');
      await refused({ message: 'hi', model: 'demo/nobody' }, 404, 'model_not_found', 'model');
      await refused({ message: 'hi', model: 'openai/gpt-6.2-sol' }, 409, 'model_not_configured', 'model');
      await refused({ message: 'hi', tools: ['ask_user', 'rm'] }, 400, 'tool_not_found', 'tools[1]');
    });

    it('where it is no JSON object, or too large', async () => {
      await refused('[]', 400, 'validation_failed', 'body');
      await refused('{"message":"hi', 400, 'malformed_json');
      await refused({ message: 'a'.repeat(1_200_000) }, 413, 'message_too_large', 'message');
      await refused({ message: 'a'.repeat(3_000_000) }, 413, 'body_too_large');
    });

    it.each([
      ['ses_1', 400, 'id_invalid'],
      [`run_${NOBODY}`, 400, 'id_invalid'],
      [`ses_${NOBODY}`, 404, 'session_not_found'],
    ])('for the session %s', async (id, status, code) => {
      expect(await chat.send(id, { message: 'hi' })).toMatchObject({ status, body: { code } });
    });

    it.each(['', 'a b', 'ü', 'x'.repeat(256)])('with the idempotency key "%.8s"', async (key) => {
      const { status, body } = await api.post('/api/v1/chat/sse', { message: 'hi' }, { 'idempotency-key': key });
      expect({ status, field: body.field }).toEqual({ status: 400, field: 'Idempotency-Key' });
    });
  });

  it('[S6] may be any text that JSON can hold: it is stored as it is, and told as far as UTF-8 can say it', async () => {
    const odd = 'a\u0000b\u0007\ud83d x \udc00 \u202e\ufeff $where {"$gt":""} __proto__ \u{1f600}';
    const sessionId = await chat.newSession();
    const { body } = await chat.send(sessionId, { message: odd, model: FAKE });
    expect(body.run.status).toBe('completed');
    const [{ parts }] = await chat.messages(sessionId);
    expect(parts[0].text).toBe(odd);
    expect(fake.requests[0]!.message).toBe(odd.toWellFormed());
  });
});
