import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { EVERYTHING, EverythingServer } from '../support/mcp/reference-servers';
import { checkRun } from '../support/oracles';
import { eventsOf, typesOf } from '../support/run-reads';
import type { RunRead } from '../support/sse-reader';
import { tempDir } from '../support/temp-dir';

const TOOLS = '/api/v1/tools';
const ARCHITECTURE = 'demo://resource/static/document/architecture.md';

/** The official reference server, through the whole product. */
describe.each([
  ['stdio', async () => ({ entry: { command: process.execPath, args: [EVERYTHING, 'stdio'] }, close: async () => {} })],
  [
    'Streamable HTTP',
    async () => {
      const server = await EverythingServer.start();
      return { entry: { url: server.url }, close: () => server.close() };
    },
  ],
] as const)('[MC1] server-everything over %s', (_name, start) => {
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let closeServer: () => Promise<unknown>;

  beforeAll(async () => {
    const { entry, close } = await start();
    closeServer = close;
    const file = join(tempDir(), 'mcp.json');
    const mcpServers = { everything: entry, dead: { url: 'http://127.0.0.1:1/mcp' } };
    writeFileSync(file, JSON.stringify({ mcpServers }));
    app = await AppHarness.start({ MCP_CONFIG: file, PATH: process.env.PATH!, DEFAULT_MODEL: 'demo/scribe' });
    api = app.api();
    chat = new ChatClient(api);
    await eventually(async () => {
      const { items } = (await api.get(`${TOOLS}/list`)).body;
      expect(items).toContainEqual(expect.objectContaining({ name: 'everything__echo', available: true }));
    });
  });
  afterAll(async () => {
    await app?.close();
    await closeServer?.();
  });

  describe('its resources', () => {
    it('are listed with its templates, and no dead server beside it matters', async () => {
      const { status, body } = await api.get(`${TOOLS}/resources`);
      expect(status).toBe(200);
      expect(body.items).toContainEqual({
        server: 'everything',
        uri: ARCHITECTURE,
        template: false,
        name: 'architecture.md',
        description: expect.any(String) as string,
        mediaType: 'text/markdown',
      });
      expect(body.items).toContainEqual(
        expect.objectContaining({ uri: 'demo://resource/dynamic/text/{resourceId}', template: true }),
      );
    });

    it('are read as text and as bytes', async () => {
      const read = (uri: string) => api.post(`${TOOLS}/resources/read`, { server: 'everything', uri });
      expect(await read(ARCHITECTURE)).toMatchObject({
        status: 200,
        body: {
          contents: [
            { type: 'resource', uri: ARCHITECTURE, mediaType: 'text/markdown', text: expect.stringContaining('#') },
          ],
        },
      });
      const { body } = await read('demo://resource/dynamic/blob/7');
      expect(Buffer.from(body.contents[0].blob, 'base64').toString()).toContain('Resource 7');
    });

    it.each([
      [{ uri: ARCHITECTURE }, 400, { code: 'validation_failed', field: 'server' }],
      [{ server: 'everything', uri: '' }, 400, { code: 'validation_failed', field: 'uri' }],
      [{ server: 'everything', uri: { $ne: '' } }, 400, { code: 'validation_failed', field: 'uri.$ne' }],
      [{ server: 'everything', uri: 'x'.repeat(5_000) }, 400, { code: 'validation_failed', field: 'uri' }],
      [{ server: 'everything', uri: ARCHITECTURE, as: 'text' }, 400, { code: 'validation_failed', field: 'as' }],
      [{ server: 'nobody', uri: ARCHITECTURE }, 404, { code: 'mcp_server_not_found' }],
      [{ server: 'everything', uri: 'demo://resource/no/such' }, 400, { code: 'mcp_call_refused' }],
      [{ server: 'everything', uri: 'file:///etc/passwd' }, 400, { code: 'mcp_call_refused' }],
      [{ server: 'dead', uri: ARCHITECTURE }, 503, { code: 'mcp_server_unavailable' }],
    ])('are not read where something is wrong (%#)', async (body, status, problem) => {
      expect(await api.post(`${TOOLS}/resources/read`, body)).toMatchObject({ status, body: problem });
    });
  });

  describe('its prompts', () => {
    const get = (body: object) => api.post(`${TOOLS}/prompts/get`, { server: 'everything', ...body });

    it('are listed with what they take', async () => {
      const { status, body } = await api.get(`${TOOLS}/prompts`);
      expect(status).toBe(200);
      const prompt = body.items.find(({ name }: { name: string }) => name === 'args-prompt');
      expect(prompt).toMatchObject({
        server: 'everything',
        title: 'Arguments Prompt',
        arguments: [
          { name: 'city', required: true },
          { name: 'state', required: false },
        ],
      });
    });

    it('are filled in, with resources within', async () => {
      expect((await get({ name: 'simple-prompt' })).body.messages).toMatchObject([
        { role: 'user', content: { type: 'text', text: expect.any(String) } },
      ]);
      const filled = await get({ name: 'args-prompt', arguments: { city: 'Wien', state: 'Wien' } });
      expect(filled).toMatchObject({
        status: 200,
        body: { messages: [{ content: { text: expect.stringContaining('Wien, Wien') } }] },
      });
      const within = await get({ name: 'resource-prompt', arguments: { resourceType: 'Text', resourceId: '3' } });
      expect(within.body.messages.map(({ content }: any) => content.type)).toEqual(['text', 'resource']);
    });

    it.each([
      [{}, 400, { code: 'validation_failed', field: 'name' }],
      [{ name: 'args-prompt', arguments: { city: 7 } }, 400, { code: 'validation_failed', field: 'arguments' }],
      [{ name: 'args-prompt', arguments: ['Wien'] }, 400, { code: 'validation_failed', field: 'arguments' }],
      [{ name: 'args-prompt', server: 'nobody' }, 404, { code: 'mcp_server_not_found' }],
      [{ name: 'no-prompt' }, 400, { code: 'mcp_call_refused' }],
      [{ name: 'args-prompt' }, 400, { code: 'mcp_call_refused' }],
      [
        { name: 'resource-prompt', arguments: { resourceType: 'Text', resourceId: '-1' } },
        400,
        { code: 'mcp_call_refused' },
      ],
      [{ name: 'simple-prompt', server: 'dead' }, 503, { code: 'mcp_server_unavailable' }],
    ])('are not given where something is wrong (%#)', async (body, status, problem) => {
      expect(await get(body)).toMatchObject({ status, body: problem });
    });
  });

  it('gives an image, which a model would be shown', async () => {
    const sessionId = await chat.newSession();
    const call = { name: 'everything__get-tiny-image', arguments: {}, sessionId, approve: true };
    const { body } = await api.post(`${TOOLS}/execute`, call);
    expect(body).toMatchObject({ ok: true, images: [{ mediaType: 'image/png' }] });
    expect(body.output).toContain(`kept as ${body.images[0].blobId}`);
    const kept = await fetch(`${api.baseUrl}/api/v1/blobs/${body.images[0].blobId}`);
    expect(Buffer.from(await kept.arrayBuffer()).toString('latin1', 1, 4)).toBe('PNG');
  });

  describe('its questions', () => {
    /** Has the model call a tool that asks people, and answers each question as it comes. */
    async function asked(call: string, ...answers: object[]): Promise<{ read: RunRead; questions: any[] }> {
      const tool = call.slice(0, call.indexOf(' '));
      const sessionId = await chat.newSession({ tools: [tool] });
      await api.post(`/api/v1/sessions/${sessionId}/tool-rules`, { tool, action: 'allow' });
      const reading = app.sse().chat({ sessionId, message: `/tool ${call}` });
      const questions: any[] = [];
      for (const answer of answers) {
        const open = await eventually(async () => {
          const found = (await chat.interactions(sessionId)).filter(({ status }) => status === 'open');
          expect(found).toHaveLength(1);
          return found[0];
        });
        questions.push(open);
        expect(await chat.answer(sessionId, open.id, answer)).toMatchObject({ status: 200 });
      }
      const read = await reading;
      await checkRun(api, [read]);
      expect(eventsOf(read).at(-1)).toMatchObject({ type: 'run.completed' });
      expect(eventsOf(read, 'interaction.requested').map(({ interactionId }) => interactionId)).toEqual(
        questions.map(({ id }) => id),
      );
      return { read, questions };
    }
    const resultOf = (read: RunRead): string => eventsOf(read, 'tool.completed')[0].result ?? '';
    const FORM = 'everything__trigger-elicitation-request {}';
    const url = (more: object = {}): string =>
      `everything__trigger-url-elicitation ${JSON.stringify({ url: 'https://example.com/agree', message: 'Please agree.', ...more })}`;

    it('by a form reach the person, and the answer the tool', async () => {
      const value = { name: 'Ada', check: true, integer: 7 };
      const { read, questions } = await asked(FORM, { value });
      expect(questions[0]).toMatchObject({
        kind: 'elicitation',
        prompt: expect.stringMatching(/^everything asks: /),
        schema: { type: 'object', required: ['name'], properties: { name: { type: 'string' } } },
        callId: eventsOf(read, 'tool.started')[0].callId,
      });
      expect(typesOf(read)).toEqual(expect.arrayContaining(['interaction.requested', 'interaction.resolved']));
      expect(eventsOf(read, 'interaction.resolved')).toMatchObject([{ outcome: 'answered', by: 'local' }]);
      expect(resultOf(read)).toContain('Name: Ada');
      expect(resultOf(read)).toContain('Favorite Integer: 7');
    });

    it('by a form take only what fits the form', async () => {
      const tool = 'everything__trigger-elicitation-request';
      const sessionId = await chat.newSession({ tools: [tool] });
      await api.post(`/api/v1/sessions/${sessionId}/tool-rules`, { tool, action: 'allow' });
      const runId = await chat.begin(sessionId, { message: `/tool ${FORM}` });
      const { id } = await eventually(async () => {
        const [open] = await chat.interactions(sessionId);
        expect(open).toBeDefined();
        return open;
      });
      for (const [value, field] of [
        [{}, 'value.name'],
        [{ name: 'Ada', email: 'no address' }, 'value.email'],
        [{ name: 'Ada', integer: 1.5 }, 'value.integer'],
        ['Ada', 'value'],
      ] as const)
        expect(await chat.answer(sessionId, id, { value })).toMatchObject({
          status: 400,
          body: { code: 'answer_invalid', field },
        });
      expect((await chat.answer(sessionId, id, { outcome: 'approved' })).body.code).toBe('answer_invalid');
      expect(await chat.answer(sessionId, id, { value: { name: 'Ada' } })).toMatchObject({ status: 200 });
      expect(await chat.answer(sessionId, id, { value: { name: 'Eve' } })).toMatchObject({
        status: 409,
        body: { code: 'interaction_closed' },
      });
      await chat.runIs(runId, 'completed');
    });

    it.each([
      ['denied', 'declined to provide'],
      ['cancelled', 'cancelled the elicitation'],
    ])('by a form that are %s are an answer too', async (outcome, told) => {
      const { read } = await asked(FORM, { outcome });
      expect(eventsOf(read, 'interaction.resolved')).toMatchObject([{ outcome }]);
      expect(eventsOf(read, 'tool.completed')).toMatchObject([{ ok: true, result: expect.stringContaining(told) }]);
    });

    it('by an address give the person the address', async () => {
      const { read, questions } = await asked(url(), { value: 'done' });
      expect(questions[0]).toMatchObject({
        kind: 'elicitation',
        prompt: expect.stringContaining('Please agree.\nOpen https://example.com/agree'),
      });
      expect(resultOf(read)).toContain('User completed the URL elicitation flow');
    });

    it.each([
      ['denied', 'declined to open'],
      ['cancelled', 'cancelled the URL elicitation'],
    ])('by an address that are %s are an answer too', async (outcome, told) => {
      const { read } = await asked(url(), { outcome });
      expect(resultOf(read)).toContain(told);
    });

    it('by an error that wants an address seen first are asked, and the call made again', async () => {
      const { read, questions } = await asked(url({ errorPath: true }), { value: 'done' }, { value: 'done' });
      expect(questions[0].prompt).toContain('https://modelcontextprotocol.io');
      expect(questions[1].prompt).toContain('https://example.com/agree');
      expect(resultOf(read)).toContain('User completed the URL elicitation flow');
    });

    it('where nobody can be asked are declined at once', async () => {
      const tool = 'everything__trigger-elicitation-request';
      const executed = await api.post(`${TOOLS}/execute`, { name: tool, arguments: {}, approve: true });
      expect(executed.body).toMatchObject({ ok: true, output: expect.stringContaining('declined') });
    });
  });
});
