import { getModelToken } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { AuditDocument } from '../../apps/api/src/auth/audit/audit.schema';
import { Audit } from '../../apps/api/src/auth/audit/audit.service';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { describeStores } from '../support/stores';

const EXECUTE = '/api/v1/tools/execute';
const RULES = [
  { tool: 'search_files', action: 'deny' },
  { tool: 'write_file', arguments: { path: 'secrets/*' }, action: 'deny' },
  { tool: 'todo', action: 'ask' },
];

describeStores('the tools', (store) => {
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sessionId: string;

  const execute = (name: string, args: unknown = {}, more: object = {}, headers?: Record<string, string>) =>
    api.post(EXECUTE, { name, arguments: args, sessionId, ...more }, headers);

  beforeAll(async () => {
    app = await AppHarness.start({ ...store.env(), TOOL_RULES: JSON.stringify(RULES), TOOL_OUTPUT_CHARS: '500' });
    api = app.api();
    chat = new ChatClient(api);
  });
  beforeEach(async () => {
    sessionId = await chat.newSession();
  });
  afterAll(() => app.close());

  it('are listed with what they take, what they do, and whether they can be used', async () => {
    const { status, body } = await api.get('/api/v1/tools/list');
    expect(status).toBe(200);
    const names = body.items.map(({ name }: { name: string }) => name);
    expect(names).toEqual(names.toSorted());
    expect(names).toEqual(
      expect.arrayContaining(
        'ask_user edit_file fetch_url list_files read_file read_output search_files todo write_file'.split(' '),
      ),
    );
    const tool = (name: string) => body.items.find((one: { name: string }) => one.name === name);
    expect(tool('read_file')).toMatchObject({ source: 'builtin', effect: 'read', approval: 'allow', available: true });
    expect(tool('write_file').inputSchema.required).toEqual(['path', 'content']);
    expect(tool('fetch_url')).toMatchObject({ effect: 'read', approval: 'ask' });
    expect(tool('search_files')).toMatchObject({ available: false, reason: expect.stringContaining('TOOL_RULES') });
  });

  it('write, read, edit and list the files of the session, and the execution is kept', async () => {
    const written = await execute('write_file', { path: 'notes/a.txt', content: 'one\ntwo\n' });
    expect(written).toMatchObject({
      status: 200,
      body: {
        id: expect.stringMatching(/^exe_/),
        sessionId,
        name: 'write_file',
        arguments: { path: 'notes/a.txt', content: 'one\ntwo\n' },
        status: 'completed',
        ok: true,
        truncated: false,
        error: null,
        files: [{ path: 'notes/a.txt', bytes: 8, mediaType: 'text/plain', operation: 'created' }],
      },
    });
    await execute('edit_file', { path: 'notes/a.txt', oldText: 'two', newText: 'three' });
    const read = await execute('read_file', { path: '/workspace/notes/a.txt' });
    expect(read.body).toMatchObject({ ok: true, output: 'one\nthree\n' });
    expect((await execute('read_file', { path: 'notes/a.txt', startLine: 2, lineCount: 1 })).body.output).toContain(
      'three',
    );
    const listed = await execute('list_files', { depth: 3 });
    expect(listed.body.output.split('\n')).toEqual(['notes/', 'notes/a.txt  10']);
    expect((await api.get(`/api/v1/tools/executions/${written.body.id}`)).body).toEqual(written.body);
  });

  it('that fail are an answer, with the error of the tool', async () => {
    const { status, body } = await execute('read_file', { path: 'nowhere.txt' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'completed', ok: false, error: { code: 'file_not_found' } });
    const alone = await api.post(EXECUTE, { name: 'read_file', arguments: { path: 'a' } });
    expect(alone.body).toMatchObject({ ok: false, error: { code: 'session_required' } });
    expect(
      (await execute('edit_file', { path: '../../etc/passwd', oldText: 'root', newText: 'x' })).body,
    ).toMatchObject({
      ok: false,
      error: { code: 'path_outside_workspace' },
    });
  });

  it('keep the whole of a long output, to be read on with', async () => {
    const content = Array.from({ length: 300 }, (_, line) => `line ${line}`).join('\n');
    await execute('write_file', { path: 'long.txt', content });
    const { body } = await execute('read_file', { path: 'long.txt' });
    expect(body).toMatchObject({ ok: true, truncated: true, blobId: expect.stringMatching(/^blob_/) });
    expect(body.output.length).toBeLessThan(800);
    expect(body.output).toContain('line 0\n');
    expect(body.output).toContain('line 299');
    expect((await api.get(`/api/v1/blobs/${body.blobId}`)).text).toBe(content);
    const further = await execute('read_output', { blobId: body.blobId, offset: 100, limit: 50 });
    expect(further.body.output).toBe(
      `${content.slice(100, 150)}\n\n[${content.length - 150} characters follow, from offset 150.]`,
    );
    const elsewhere = await chat.newSession();
    expect((await execute('read_output', { blobId: body.blobId }, { sessionId: elsewhere })).body).toMatchObject({
      ok: false,
    });
  });

  it('keep a list of what is left to do', async () => {
    const items = [
      { text: 'first', status: 'done' },
      { text: 'second', status: 'in_progress' },
    ];
    expect((await execute('todo', { items }, { approve: true })).body).toMatchObject({ ok: true, details: { items } });
    expect((await execute('todo', {}, { approve: true })).body.output).toBe('[x] first\n[>] second');
  });

  describe('take no attack:', () => {
    it('[T1] what there is not, is disabled, or is in a foreign session: 404', async () => {
      expect(await execute('nothing')).toMatchObject({ status: 404, body: { code: 'tool_not_found' } });
      expect(await execute('search_files', { pattern: 'x' })).toMatchObject({
        status: 404,
        body: { code: 'tool_not_found' },
      });
      const foreign = { sessionId: 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV' };
      const refused = await execute('read_file', { path: 'a' }, foreign);
      expect(refused).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
      expect((await api.get('/api/v1/tools/executions/exe_01ARZ3NDEKTSV4RRFFQ69G5FAV')).status).toBe(404);
    });

    it('[T2] arguments that do not fit: 400 with the field, and nothing is written', async () => {
      const path = 'canary.txt';
      const wrong: [unknown, string][] = [
        [{ path }, 'arguments.content'],
        [{ path, content: 7 }, 'arguments.content'],
        [{ path, content: '', mode: 511 }, 'arguments.mode'],
        [{ path: '', content: '' }, 'arguments.path'],
        ['text', 'arguments'],
        [[], 'arguments'],
      ];
      for (const [args, field] of wrong)
        expect(await execute('write_file', args)).toMatchObject({
          status: 400,
          body: { code: 'validation_failed', field },
        });
      const deep = `${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`;
      const nested = await api.post(EXECUTE, `{"name":"write_file","arguments":${deep}}`);
      expect(nested).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
      const large = await execute('write_file', { path, content: 'x'.repeat(10 * 1024 * 1024) });
      expect(large.status).toBe(413);
      expect((await execute('list_files')).body.output).toBe('There is nothing.');
    });

    it('[T3] names that reach a prototype: 400', async () => {
      for (const key of ['__proto__', 'constructor'])
        expect(
          await api.post(EXECUTE, `{"name":"todo","arguments":{"${key}":{"prototype":{"polluted":1}}}}`),
        ).toMatchObject({ status: 400, body: { field: `arguments.${key}` } });
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    });

    it('[T4] operators of the store: 400 in every field', async () => {
      for (const body of [
        { name: { $ne: null } },
        { name: 'todo', sessionId: { $gt: '' } },
        { name: 'todo', arguments: { items: { $where: '1' } } },
        { name: 'todo', approve: { $ne: true } },
      ])
        expect((await api.post(EXECUTE, body)).status).toBe(400);
      const rules = `/api/v1/sessions/${sessionId}/tool-rules`;
      expect((await api.post(rules, { tool: { $ne: '' }, action: 'allow' })).status).toBe(400);
      expect((await api.get('/api/v1/tools/executions/[$ne]')).status).toBe(400);
    });

    it('[T6] a key sent twice executes once; with another body 422', async () => {
      const headers = { 'Idempotency-Key': `once-${sessionId}` };
      await execute('write_file', { path: 'count.txt', content: 'a' });
      const edit = { path: 'count.txt', oldText: 'a', newText: 'aa' };
      const answers = await Promise.all([1, 2, 3].map(() => execute('edit_file', edit, {}, headers)));
      expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
      for (const { status, body } of answers)
        expect([status, body.code]).toEqual(status === 200 ? [200, undefined] : [409, 'execution_unfinished']);
      const again = await execute('edit_file', edit, {}, headers);
      expect(again).toMatchObject({ status: 200, body: { id: answers.find(({ status }) => status === 200)!.body.id } });
      expect((await execute('read_file', { path: 'count.txt' })).body.output).toBe('aa');
      const other = await execute('edit_file', { ...edit, newText: 'b' }, {}, headers);
      expect(other).toMatchObject({ status: 422, body: { code: 'idempotency_key_reused' } });
    });
  });

  describe('follow rules:', () => {
    const rules = (): string => `/api/v1/sessions/${sessionId}/tool-rules`;

    it('a refusal of the server stands, however the path is spelt and whatever the session says', async () => {
      await api.post(rules(), { tool: '*', action: 'allow' });
      for (const path of ['secrets/key', './secrets/key', 'a/../secrets/key', '/workspace/secrets/key'])
        expect(await execute('write_file', { path, content: '' }, { approve: true })).toMatchObject({
          status: 403,
          body: { code: 'tool_denied' },
        });
      expect((await execute('write_file', { path: 'open/key', content: '' })).status).toBe(200);
    });

    it('what must be asked about needs an approval, unless the session allows it', async () => {
      expect(await execute('todo')).toMatchObject({ status: 409, body: { code: 'approval_required' } });
      expect((await execute('todo', {}, { approve: true })).status).toBe(200);
      const added = await api.post(rules(), { tool: 'to*', action: 'allow' });
      expect(added).toMatchObject({
        status: 201,
        body: { tool: 'to*', arguments: null, action: 'allow', createdBy: 'local' },
      });
      expect((await execute('todo')).status).toBe(200);
      expect((await api.get(rules())).body.items).toEqual([added.body]);
      expect((await api.delete(`${rules()}/${added.body.id}`)).status).toBe(204);
      expect((await execute('todo')).status).toBe(409);
      expect((await api.delete(`${rules()}/${added.body.id}`)).status).toBe(404);
    });

    it('a permission for some arguments is none for others', async () => {
      await api.post(rules(), { tool: 'write_file', action: 'ask' });
      await api.post(rules(), { tool: 'write_file', arguments: { path: 'docs/*' }, action: 'allow' });
      expect((await execute('write_file', { path: 'docs/a.md', content: '' })).status).toBe(200);
      expect((await execute('write_file', { path: 'docs/../main.ts', content: '' })).status).toBe(409);
      expect((await execute('write_file', { path: 'main.ts', content: '' })).status).toBe(409);
    });

    it('rules that are none: 400', async () => {
      for (const [rule, field] of [
        [{ tool: 'todo', action: 'maybe' }, 'action'],
        [{ tool: 'a b', action: 'ask' }, 'tool'],
        [{ tool: 'todo', action: 'ask', arguments: { path: 7 } }, 'arguments'],
        [{ tool: 'todo', action: 'ask', ownerId: 'x' }, 'ownerId'],
      ] as const)
        expect(await api.post(rules(), rule)).toMatchObject({ status: 400, body: { field } });
    });
  });

  it('that are executed, fail or are refused stand in the audit log, without what they were given', async () => {
    const { body } = await execute('write_file', { path: 'a.txt', content: 'planted-content' });
    await execute('todo', {}, { approve: true });
    await execute('read_file', { path: 'nowhere.txt' });
    await execute('write_file', { path: 'secrets/key', content: 'planted-content' });
    await app.app.get(Audit, { strict: false }).flush();
    const model = app.app.get<Model<AuditDocument>>(getModelToken(AuditDocument.name), { strict: false });
    const entries = (await model.find({ action: 'tool.execute' }).sort({ _id: 1 }).lean<AuditDocument[]>()).filter(
      ({ detail }) => detail.sessionId === sessionId,
    );
    const by = { tenantId: 'local', ownerId: 'local', actor: 'local' };
    const id = expect.stringMatching(/^exe_/) as string;
    expect(entries).toMatchObject([
      { ...by, outcome: 'ok', detail: { id: body.id, tool: 'write_file', sessionId } },
      { ...by, outcome: 'ok', detail: { id, tool: 'todo', sessionId, approved: 'by the caller' } },
      { ...by, outcome: 'failed', detail: { id, tool: 'read_file', sessionId } },
      { ...by, outcome: 'denied', detail: { tool: 'write_file', sessionId } },
    ]);
    expect(entries[0].detail).not.toHaveProperty('approved');
    expect(JSON.stringify(entries)).not.toContain('planted-content');
  });

  it('reach nothing within: the page of an internal address is refused', async () => {
    for (const url of [`${app.url}/health`, 'http://169.254.169.254/latest', 'file:///etc/passwd', 'http://[::1]/'])
      expect((await execute('fetch_url', { url }, { approve: true })).body).toMatchObject({
        ok: false,
        error: { code: 'url_not_allowed' },
      });
  });
});
