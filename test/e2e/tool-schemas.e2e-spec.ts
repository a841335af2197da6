import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { FakeMcp } from '../support/mcp/fake-mcp';
import { eventsOf } from '../support/run-reads';

/** Seconds of work for a pattern engine that tries everything; each letter more doubles it. */
const EVIL = { pattern: '^(a+)+$', value: `${'a'.repeat(31)}!` };
const TREE = { type: 'object', properties: { name: { type: 'string' }, child: { $ref: '#' } }, required: ['name'] };

const evilSchema = (title: string) => ({ type: 'object', title, properties: { a: { pattern: EVIL.pattern } } });

describe('schemas of strangers', () => {
  let app: AppHarness;
  let api: ApiClient;
  let fake: FakeMcp;

  beforeAll(async () => {
    fake = await FakeMcp.start({
      tools: [
        { name: 'evil', inputSchema: evilSchema('server') },
        { name: 'promise', inputSchema: { type: 'object', $async: true, required: ['a'] } },
        { name: 'tree', inputSchema: TREE },
      ],
    });
    app = await AppHarness.start({ OUTBOUND_ALLOW: `127.0.0.1:${fake.port}`, DEFAULT_MODEL: 'demo/scribe' });
    api = app.api();
    expect(await api.post('/api/v1/mcp/servers', { name: 'their', url: fake.url })).toMatchObject({ status: 201 });
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });

  const execute = (name: string, args: object) =>
    api.post('/api/v1/tools/execute', { name, arguments: args, approve: true });

  it('[T2] that hold an endless pattern are refused, and nothing is called', async () => {
    const refused = await execute('their__evil', { a: EVIL.value });
    expect(refused).toMatchObject({
      status: 400,
      body: { code: 'validation_failed', detail: expect.stringContaining('the schema asks for too much work') },
    });
    expect(fake.calls).toEqual([]);
    // Arguments that the pattern is quick to find right are still taken.
    expect(await execute('their__evil', { a: 'aa' })).toMatchObject({ status: 200, body: { ok: true } });
  });

  it('[T2] that a program brings along hold nobody up either: the model is told', async () => {
    const chat = new ChatClient(api);
    const sessionId = await chat.newSession();
    const message = `/tool evil ${JSON.stringify({ a: EVIL.value })}`;
    const clientTools = [{ name: 'evil', description: 'Evil.', inputSchema: evilSchema('program') }];
    const read = await app.sse().chat({ sessionId, message, clientTools });
    expect(eventsOf(read, 'tool.completed')).toMatchObject([
      { ok: false, error: { code: 'invalid_arguments', message: expect.stringContaining('too much work') } },
    ]);
    expect(eventsOf(read).at(-1)).toMatchObject({ type: 'run.completed' });
  });

  it('[T2] that ask for a promise are checked like all others', async () => {
    expect(await execute('their__promise', {})).toMatchObject({ status: 400, body: { field: 'arguments.a' } });
  });

  it('[T2] that speak of themselves are heeded at every depth', async () => {
    const wrong = await execute('their__tree', { name: 'a', child: { name: 'b', child: { name: 3 } } });
    expect(wrong).toMatchObject({ status: 400, body: { field: 'arguments.child.child.name' } });
    expect(await execute('their__tree', { name: 'a', child: { name: 'b' } })).toMatchObject({ body: { ok: true } });
  });
});
