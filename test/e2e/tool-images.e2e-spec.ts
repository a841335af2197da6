import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BlobRepository } from '../../apps/api/src/blobs/blob.repository';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { FakeLlm } from '../support/fake-llm';
import { FakeMcp } from '../support/mcp/fake-mcp';
import { checkRun } from '../support/oracles';
import { eventsOf } from '../support/run-reads';
import type { RunRead, SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';
import { tempDir } from '../support/temp-dir';

/** A red dot and a black one. */
const RED = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const BLACK = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=';
const image = (data: string, mimeType = 'image/png') => ({ type: 'image', mimeType, data });
const resource = (blob: string, mimeType: string) => ({
  type: 'resource',
  resource: { uri: 'file:///a', mimeType, blob },
});

const TOOL = 'shots__shoot';
const SHOOT = `[[tool=${TOOL} {}]]`;
const CHAT = 'fake/model';
const BLIND = { capabilities: { images: false } };
const SMALL = { contextWindow: 5_000 };
const MODELS = { 'fake/blind': BLIND, 'fake/small': SMALL, 'fake/small-blind': { ...BLIND, ...SMALL } };
const SESSIONS = '/api/v1/sessions';

describeStores('images in the results of MCP tools', (store) => {
  const fake = new FakeLlm();
  let mcp: FakeMcp;
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;

  beforeAll(async () => {
    await fake.start();
    mcp = await FakeMcp.start({ tools: [{ name: 'shoot', annotations: { readOnlyHint: true } }] });
    const [servers, models] = ['mcp.json', 'models.json'].map((name) => join(tempDir(), name));
    writeFileSync(servers, JSON.stringify({ mcpServers: { shots: { url: mcp.url, trusted: true } } }));
    writeFileSync(models, JSON.stringify(MODELS));
    const key = 'a-key-of-the-tests';
    app = await AppHarness.start({
      LLM_ENDPOINTS: JSON.stringify([
        { name: 'fake', baseUrl: fake.url, apiKey: key, models: ['model', 'blind', 'small', 'small-blind'] },
      ]),
      ...{ OPENAI_BASE_URL: fake.url, OPENAI_API_KEY: key },
      ...{ ANTHROPIC_BASE_URL: fake.origin, ANTHROPIC_API_KEY: key },
      ...{ GEMINI_BASE_URL: fake.origin, GEMINI_API_KEY: key },
      DEFAULT_MODEL: CHAT,
      MCP_CONFIG: servers,
      MODELS_FILE: models,
      ...store.env(),
    });
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
    await eventually(async () => {
      const { items } = (await api.get('/api/v1/tools/list')).body;
      expect(items).toContainEqual(expect.objectContaining({ name: TOOL, available: true }));
    });
  });
  beforeEach(() => {
    fake.reset();
    mcp.content = [image(RED)];
  });
  afterAll(async () => {
    await app?.close();
    await mcp.close();
    await fake.close();
  });

  type Said = { role: string; content: any };
  const toldLast = (): Said[] => fake.requests.at(-1)!.body.messages as Said[];
  const shown = (data: string) => ({ type: 'image_url', image_url: { url: `data:image/png;base64,${data}` } });
  const labelled = (count: number) => ({
    type: 'text',
    text: expect.stringContaining(`${count} of ${TOOL} (`) as string,
  });

  /** A session in which the tool was called by the model that is named. */
  async function shot(model = CHAT, more: object = {}) {
    const sessionId = await chat.newSession({ model, tools: [TOOL] });
    const read = await sse.chat({ sessionId, message: `Look. ${SHOOT}`, ...more });
    await checkRun(api, [read]);
    expect(eventsOf(read).at(-1)).toMatchObject({ type: 'run.completed' });
    const [completed] = eventsOf(read, 'tool.completed');
    return { sessionId, read, completed };
  }
  const resultsIn = async (sessionId: string): Promise<any[]> =>
    (await chat.messages(sessionId)).filter(({ role }) => role === 'tool').flatMap(({ parts }) => parts);
  const bytesOf = async (blobId: string) => {
    const answer = await fetch(`${api.baseUrl}/api/v1/blobs/${blobId}`);
    return [answer.headers.get('content-type'), Buffer.from(await answer.arrayBuffer()).toString('base64')];
  };

  it('are shown to the model after the results, and kept as blobs that everybody is told of', async () => {
    mcp.content = [image(RED), resource(BLACK, 'image/png')];
    const { sessionId, completed } = await shot();
    const images = [1, 2].map(() => ({ blobId: expect.stringMatching(/^blob_/) as string, mediaType: 'image/png' }));
    expect(completed).toMatchObject({ ok: true, images });
    expect(completed.result).toBe(
      [
        'shoot: {}',
        `[image of 70 bytes, image/png, kept as ${completed.images![0].blobId}]`,
        `[resource of 68 bytes, image/png, kept as ${completed.images![1].blobId}]`,
      ].join('\n'),
    );
    const [user, assistant, tool, after, ...rest] = toldLast();
    expect([user.role, assistant.role, rest]).toEqual(['user', 'assistant', []]);
    expect(tool).toMatchObject({ role: 'tool', content: completed.result });
    expect(after).toEqual({ role: 'user', content: [labelled(2), shown(RED), shown(BLACK)] });
    expect(await resultsIn(sessionId)).toMatchObject([{ output: completed.result, images: completed.images }]);
    expect(await bytesOf(completed.images![0].blobId)).toEqual(['image/png', RED]);
    expect(await bytesOf(completed.images![1].blobId)).toEqual(['image/png', BLACK]);
  });

  it.each(['openai/gpt-6-luna', 'anthropic/claude-sonnet-5-5', 'google/gemini-4-hydrogen'])(
    'are shown to %s too',
    async (model) => {
      await shot(model);
      const { body } = fake.requests.at(-1)!;
      const text = JSON.stringify(body);
      expect(text.indexOf(RED)).toBeGreaterThan(text.indexOf('kept as blob_'));
      expect(text.split(RED)).toHaveLength(2);
    },
  );

  it('stay where they were in later turns, byte for byte', async () => {
    const { sessionId } = await shot();
    const before = toldLast();
    await chat.send(sessionId, { message: 'And?' });
    expect(JSON.stringify(toldLast().slice(0, before.length))).toBe(JSON.stringify(before));
    await chat.send(sessionId, { message: `Once more. ${SHOOT}` });
    expect(toldLast().filter(({ content }) => Array.isArray(content) && content.length === 2)).toHaveLength(2);
  });

  it('are left out once their bytes are gone, and the conversation goes on', async () => {
    const { sessionId, completed } = await shot();
    const before = toldLast();
    await app.app.get(BlobRepository).erase(completed.images![0].blobId);
    await chat.send(sessionId, { message: 'And?' });
    expect(toldLast().slice(0, 3)).toEqual(before.slice(0, 3));
    expect(JSON.stringify(toldLast())).not.toContain(RED);
    expect(toldLast().at(-1)).toEqual({ role: 'user', content: 'And?' });
  });

  it('count where the context is measured', async () => {
    const { sessionId } = await shot();
    const tokens = async () => (await api.get(`${SESSIONS}/${sessionId}/context`)).body.tokens.messages;
    expect(await tokens()).toBeGreaterThan(1_600);
    await api.patch(`${SESSIONS}/${sessionId}`, { model: 'fake/blind' });
    expect(await tokens()).toBeLessThan(1_600);
  });

  /** A third turn with an image, and what the model says to its calls from then on. */
  async function third(model: string, ...texts: string[]): Promise<RunRead> {
    const sessionId = await chat.newSession({ model, tools: [TOOL] });
    const call = { tools: [{ name: TOOL, arguments: '{}' }] };
    for (const message of ['One.', 'Two.']) {
      fake.next(call, { text: 'Seen.' });
      await chat.send(sessionId, { message });
    }
    fake.next(call, ...texts.map((text) => ({ text })));
    const read = await sse.chat({ sessionId, message: 'Three.' });
    await checkRun(api, [read], ['', texts.at(-1)!]);
    return read;
  }

  it('fill a conversation until it is summed up, and the last one stays', async () => {
    const read = await third('fake/small', 'They looked twice.', 'Seen again.');
    const [{ tokensBefore, tokensAfter }] = eventsOf(read, 'context.compacted');
    expect(tokensBefore).toBeGreaterThan(3 * 1_600);
    expect(tokensAfter).toBeLessThan(2 * 1_600);
    expect(toldLast()[0].content).toContain('They looked twice.');
    expect(toldLast().at(-1)).toEqual({ role: 'user', content: [labelled(1), shown(RED)] });
    expect(JSON.stringify(toldLast()).split(RED)).toHaveLength(2);
  });

  it('fill no conversation with a model that takes none', async () => {
    expect(eventsOf(await third('fake/small-blind', 'Seen again.'), 'context.compacted')).toEqual([]);
  });

  it.each<[string, object]>([
    ['of another form than it says', image(Buffer.from('no image at all').toString('base64'))],
    [
      'of a form that not every vendor takes',
      image('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==', 'image/gif'),
    ],
    ['that is no image', resource(RED, 'application/octet-stream')],
    ['to be heard', { type: 'audio', data: RED, mimeType: 'image/png' }],
  ])('are only named where they are something %s, and the conversation goes on', async (_what, part) => {
    mcp.content = [part];
    const { sessionId, completed } = await shot();
    expect(completed.result).toMatch(/^shoot: \{\}\n\[\w+ of \d+ bytes, [\w/-]+, kept as blob_\w+\]$/);
    expect(completed).not.toHaveProperty('images');
    expect(toldLast().map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
    await chat.send(sessionId, { message: 'And?' });
    expect(toldLast().at(-1)).toEqual({ role: 'user', content: 'And?' });
  });

  it('are eight of a result at most; more are only named', async () => {
    mcp.content = Array.from({ length: 9 }, () => image(RED));
    const { completed } = await shot();
    expect(completed.images).toHaveLength(8);
    expect(completed.result!.match(/kept as blob_/g)).toHaveLength(9);
    expect(toldLast().at(-1)!.content).toEqual([labelled(8), ...Array.from({ length: 8 }, () => shown(RED))]);
  });

  it('are only named to a model that takes none, and shown to the next one', async () => {
    const { sessionId, completed } = await shot('fake/blind');
    expect(completed.images).toHaveLength(1);
    expect(toldLast().map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
    expect(JSON.stringify(toldLast())).not.toContain(RED);
    await chat.send(sessionId, { message: 'And?', model: CHAT });
    expect(toldLast()[3]).toEqual({ role: 'user', content: [labelled(1), shown(RED)] });
  });

  it.each([
    ['a fork', (id: string) => api.post(`${SESSIONS}/${id}/fork`, {})],
    [
      'an import of its export',
      async (id: string) => api.post(`${SESSIONS}/import`, (await api.get(`${SESSIONS}/${id}/export`)).text),
    ],
  ])('go along with %s, as its own', async (_what, copy) => {
    const { sessionId, completed } = await shot();
    const { status, body } = await copy(sessionId);
    expect(status).toBe(201);
    const [{ images, output }] = await resultsIn(body.id);
    expect(images).toEqual([{ blobId: expect.stringMatching(/^blob_/) as string, mediaType: 'image/png' }]);
    expect(images[0].blobId).not.toBe(completed.images![0].blobId);
    expect(output).toBe(completed.result);
    await api.delete(`${SESSIONS}/${sessionId}`);
    expect(await bytesOf(images[0].blobId)).toEqual(['image/png', RED]);
    await chat.send(body.id, { message: 'And?' });
    expect(toldLast()[3]).toEqual({ role: 'user', content: [labelled(1), shown(RED)] });
  });

  it('are among the results of a call of one’s own, where it is in a session', async () => {
    const sessionId = await chat.newSession();
    const execute = async (more: object = {}) =>
      (await api.post('/api/v1/tools/execute', { name: TOOL, ...more })).body;
    const { id, images } = await execute({ sessionId });
    expect(images).toEqual([{ blobId: expect.stringMatching(/^blob_/) as string, mediaType: 'image/png' }]);
    expect((await api.get(`/api/v1/tools/executions/${id}`)).body).toMatchObject({ images });
    expect(await execute()).toMatchObject({ images: [], output: 'shoot: {}\n[image of 70 bytes, image/png]' });
  });
});
