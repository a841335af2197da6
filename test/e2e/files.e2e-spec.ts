import { newId } from '@scorpio/kernel';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { describeStores } from '../support/stores';
import { makeSession } from '../support/session-server';
import { FileClient } from '../support/file-client';

describeStores('files over HTTP', (store) => {
  let app: AppHarness;
  let api: ApiClient;
  let files: FileClient;
  beforeAll(async () => {
    app = await AppHarness.start({ ...store.env(), WORKSPACE_MAX_FILE_BYTES: '300000' });
    api = app.api();
  });
  afterAll(() => app?.close());
  beforeEach(async () => {
    files = new FileClient(api, (await makeSession(api)).id);
  });

  it('writes a file with the folders on the way, and reads it back', async () => {
    const written = await files.ask('write', { path: 'src/deep/main.ts', content: 'one\ntwo\n' });
    expect(written).toMatchObject({
      status: 200,
      body: { path: 'src/deep/main.ts', operation: 'created', bytes: 8, mediaType: 'text/x-typescript' },
    });
    expect(await files.ask('read', { path: '/workspace/src/deep/main.ts' })).toMatchObject({
      status: 200,
      body: {
        path: 'src/deep/main.ts',
        content: 'one\ntwo\n',
        encoding: 'utf-8',
        lineEnding: 'lf',
        bytes: 8,
        etag: written.body.etag,
        truncated: false,
      },
    });
    const again = await files.ask('write', { path: 'src/deep/main.ts', content: '' });
    expect(again.body).toMatchObject({ operation: 'modified', bytes: 0 });
    expect(again.body.etag).not.toBe(written.body.etag);
  });

  it('reads ranges of bytes and of lines', async () => {
    await files.write('a.txt', 'one\ntwo\nthr\u00e9e\nfour');
    const read = async (range: object) => (await files.ask('read', { path: 'a.txt', ...range })).body;
    expect(await read({ startLine: 2, lineCount: 2 })).toMatchObject({
      content: 'two\nthr\u00e9e\n',
      startLine: 2,
      endLine: 3,
      truncated: true,
    });
    expect(await read({ startLine: 4 })).toMatchObject({ content: 'four', endLine: 4, truncated: false });
    expect(await read({ startLine: 9 })).toMatchObject({ content: '', truncated: false });
    expect(await read({ offset: 4, length: 3 })).toMatchObject({
      content: 'two',
      offset: 4,
      length: 3,
      truncated: true,
    });
    // A range that cuts a character in two ends before it.
    expect(await read({ offset: 8, length: 4 })).toMatchObject({ content: 'thr', length: 3, encoding: 'utf-8' });
    expect(await read({ offset: 0, length: 3, encoding: 'base64' })).toMatchObject({
      content: Buffer.from('one').toString('base64'),
      encoding: 'base64',
    });
  });

  it('edits exact text that is there as often as expected, and nothing otherwise', async () => {
    const { etag } = await files.write('a.txt', 'x = 1\r\ny = 1\r\n');
    const edit = (more: object) => files.ask('edit', { path: 'a.txt', oldText: '= 1', newText: '= 2', ...more });
    expect(await edit({})).toMatchObject({ status: 409, body: { code: 'edit_mismatch', found: 2, expected: 1 } });
    expect(await edit({ oldText: 'z' })).toMatchObject({ status: 409, body: { code: 'edit_mismatch', found: 0 } });
    expect(await edit({ ifMatch: 'other', count: 2 })).toMatchObject({ status: 412, body: { code: 'etag_mismatch' } });
    expect(await files.text('a.txt')).toBe('x = 1\r\ny = 1\r\n');
    expect(await edit({ ifMatch: etag, count: 2 })).toMatchObject({ status: 200, body: { operation: 'modified' } });
    // Lines of a CRLF file may be given with LF.
    expect(await edit({ oldText: '2\ny', newText: '3\nz' })).toMatchObject({ status: 200 });
    expect(await files.text('a.txt')).toBe('x = 3\r\nz = 2\r\n');
    expect(await edit({ oldText: '=', newText: ':', all: true })).toMatchObject({ status: 200 });
    expect(await files.text('a.txt')).toBe('x : 3\r\nz : 2\r\n');
  });

  it('applies a unified diff that fits, and refuses one that does not', async () => {
    await files.write('a.txt', 'one\ntwo\nthree\n');
    const patch = '--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n';
    expect(await files.ask('patch', { path: 'a.txt', patch })).toMatchObject({ status: 200 });
    expect(await files.text('a.txt')).toBe('one\n2\nthree\n');
    expect(await files.ask('patch', { path: 'a.txt', patch })).toMatchObject({
      status: 409,
      body: { code: 'patch_rejected' },
    });
    for (const bad of ['hello', '@@ nonsense @@\n+x\n', `${patch}\n${patch}`])
      expect(await files.ask('patch', { path: 'a.txt', patch: bad })).toMatchObject({
        status: 400,
        body: { code: 'patch_invalid', field: 'patch' },
      });
    expect(await files.text('a.txt')).toBe('one\n2\nthree\n');
  });

  it('lists a folder, a tree and a glob, page by page', async () => {
    for (const path of ['a/b/c.ts', 'a/d.md', 'a.txt', '.hidden', 'z.ts']) await files.write(path, path);
    const paths = async (request: object) =>
      (await files.ask('list', request)).body.items.map(({ path }: { path: string }) => path);
    expect(await paths({})).toEqual(['.hidden', 'a', 'a.txt', 'z.ts']);
    expect(await paths({ path: 'a' })).toEqual(['a/b', 'a/d.md']);
    const tree = ['.hidden', 'a', 'a/b', 'a/b/c.ts', 'a/d.md', 'a.txt', 'z.ts'];
    expect(await paths({ depth: 9 })).toEqual(tree);
    expect(await paths({ glob: '**/*.ts' })).toEqual(['a/b/c.ts', 'z.ts']);
    expect(await paths({ glob: '*.ts', path: 'a' })).toEqual(['a/b/c.ts']);
    for (const request of [{ depth: 9 }, { glob: '*' }]) {
      const whole = await paths(request);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const { body } = await files.ask('list', { ...request, limit: 2, cursor });
        seen.push(...body.items.map(({ path }: { path: string }) => path));
        cursor = body.nextCursor ?? undefined;
      } while (cursor);
      expect(seen).toEqual(whole);
    }
    expect(await files.ask('list', { cursor: '@' })).toMatchObject({ status: 400, body: { code: 'cursor_invalid' } });
    expect(await files.ask('list', { glob: '[' })).toMatchObject({
      status: 400,
      body: { code: 'pattern_invalid', field: 'glob' },
    });
    expect(await files.ask('list', { path: 'a.txt' })).toMatchObject({ status: 400, body: { code: 'not_a_folder' } });
    expect(await files.ask('list', { path: 'none' })).toMatchObject({ status: 404, body: { code: 'file_not_found' } });
  });

  it('tells what a path stands for', async () => {
    const { etag } = await files.write('a/b.json', '{}');
    expect((await files.ask('stat', { path: 'a/b.json' })).body).toMatchObject({
      path: 'a/b.json',
      type: 'file',
      bytes: 2,
      etag,
      mediaType: 'application/json',
    });
    expect((await files.ask('stat', { path: 'a' })).body).toMatchObject({ path: 'a', type: 'folder', bytes: 0 });
    expect((await files.ask('stat', { path: '' })).body).toMatchObject({ path: '', type: 'folder' });
    expect(await files.ask('stat', { path: 'a/c' })).toMatchObject({ status: 404, body: { code: 'file_not_found' } });
  });

  it('moves, copies, makes and deletes files and folders', async () => {
    await files.write('a/one.txt', '1');
    await files.write('two.txt', '2');
    expect(await files.ask('move', { from: 'a', to: 'b/c' })).toMatchObject({
      status: 200,
      body: { operation: 'moved' },
    });
    expect(await files.ask('copy', { from: 'b', to: 'd' })).toMatchObject({
      status: 200,
      body: { operation: 'created' },
    });
    expect([await files.text('b/c/one.txt'), await files.text('d/c/one.txt')]).toEqual(['1', '1']);
    expect(await files.ask('copy', { from: 'two.txt', to: 'd/c/one.txt' })).toMatchObject({
      status: 409,
      body: { code: 'path_taken' },
    });
    expect(await files.ask('copy', { from: 'two.txt', to: 'd/c/one.txt', overwrite: true })).toMatchObject({
      status: 200,
      body: { operation: 'modified' },
    });
    expect(await files.ask('move', { from: 'two.txt', to: 'b/c/one.txt' })).toMatchObject({ status: 409 });
    expect(await files.ask('move', { from: 'two.txt', to: 'b/c/one.txt', overwrite: true })).toMatchObject({
      status: 200,
    });
    expect([await files.text('b/c/one.txt'), await files.text('d/c/one.txt')]).toEqual(['2', '2']);
    expect(await files.ask('move', { from: 'b', to: 'b/c/x' })).toMatchObject({ status: 400, body: { field: 'to' } });
    expect(await files.ask('move', { from: 'gone', to: 'x' })).toMatchObject({ status: 404 });
    expect(await files.ask('mkdir', { path: 'e/f' })).toMatchObject({ status: 200, body: { type: 'folder' } });
    expect(await files.ask('mkdir', { path: 'e/f' })).toMatchObject({ status: 200 });
    expect(await files.ask('delete', { path: 'd' })).toMatchObject({ status: 409, body: { code: 'folder_not_empty' } });
    expect(await files.ask('delete', { path: 'd', recursive: true })).toMatchObject({
      status: 200,
      body: { operation: 'deleted', bytes: 1, etag: null },
    });
    expect(await files.ask('delete', { path: 'e/f' })).toMatchObject({ status: 200 });
    expect(await files.ask('delete', { path: 'b/c/one.txt', ifMatch: 'other' })).toMatchObject({ status: 412 });
    expect(await files.ask('delete', { path: 'b/c/one.txt' })).toMatchObject({ status: 200, body: { bytes: 1 } });
    expect(await files.ask('delete', { path: 'b/c/one.txt' })).toMatchObject({ status: 404 });
    expect(await files.paths()).toEqual(['b', 'b/c', 'e']);
  });

  it('searches text with its lines, by folder, file and glob', async () => {
    await files.write('a.ts', 'const x = 1;\n// here\nconst y = 2;\n');
    await files.write('b/c.md', 'Constants\nconst\n');
    await files.write('.env', 'const\n');
    await files.write('ignored/d.ts', 'const z = 3;\n');
    await files.write('.gitignore', 'ignored\n');
    const found = async (request: object) => {
      const { status, body } = await files.ask('search', request);
      expect([status, body.truncated]).toEqual([200, false]);
      return body.matches.map(({ path, line, column }: any) => `${path}:${line}:${column}`).sort();
    };
    expect(await found({ pattern: 'const' })).toEqual(['a.ts:1:1', 'a.ts:3:1', 'b/c.md:2:1']);
    expect(await found({ pattern: 'CONST', ignoreCase: true, glob: '*.md' })).toEqual(['b/c.md:1:1', 'b/c.md:2:1']);
    expect(await found({ pattern: 'const', hidden: true, ignored: true, glob: '!*.md' })).toEqual([
      '.env:1:1',
      'a.ts:1:1',
      'a.ts:3:1',
      'ignored/d.ts:1:1',
    ]);
    expect(await found({ pattern: 'y = \\d', path: 'a.ts' })).toEqual(['a.ts:3:7']);
    expect(await found({ pattern: 'const', path: 'b' })).toEqual(['b/c.md:2:1']);
    expect(await found({ pattern: 'x = 1;', literal: true })).toEqual(['a.ts:1:7']);
    expect((await files.ask('search', { pattern: 'here', context: 1 })).body.matches).toEqual([
      { path: 'a.ts', line: 2, column: 4, text: '// here', before: ['const x = 1;'], after: ['const y = 2;'] },
    ]);
    expect((await files.ask('search', { pattern: 'const', limit: 1 })).body).toMatchObject({
      matches: [expect.anything()],
      truncated: true,
      reason: 'limit',
    });
    expect(await files.ask('search', { pattern: 'x', path: 'none' })).toMatchObject({ status: 404 });
  });

  it('answers nothing of a workspace without files', async () => {
    expect((await files.ask('list', {})).body).toEqual({ items: [], nextCursor: null });
    expect((await files.ask('search', { pattern: 'x' })).body).toEqual({ matches: [], truncated: false });
    expect(await files.ask('read', { path: 'x' })).toMatchObject({ status: 404 });
    expect((await files.download('x')).status).toBe(404);
  });

  it('[W14] lets of two writes on one state the first through', async () => {
    const { etag } = await files.write('a.txt', 'old');
    const inputs = Array.from({ length: 8 }, (_, n) => String(n).repeat(100_000));
    const answers = await Promise.all(
      inputs.map((content) => files.ask('write', { path: 'a.txt', content, ifMatch: etag })),
    );
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array<number>(7).fill(412)]);
    expect(inputs).toContain(await files.text('a.txt'));
    expect(await files.ask('write', { path: 'a.txt', content: 'x', ifNoneMatch: '*' })).toMatchObject({ status: 412 });
    expect(await files.ask('write', { path: 'none', content: 'x', ifMatch: '*' })).toMatchObject({ status: 412 });
    // Without a state the last one stays, and stays whole.
    await Promise.all(inputs.map((content) => files.ask('write', { path: 'a.txt', content })));
    expect(inputs).toContain(await files.text('a.txt'));
    expect(await files.paths()).toEqual(['a.txt']);
  });

  it('go along with a fork of their session, which then has its own', async () => {
    await files.write('a/b.txt', 'before');
    const fork = await api.post(`/api/v1/sessions/${files.sessionId}/fork`, {});
    expect(fork).toMatchObject({ status: 201 });
    const copy = new FileClient(api, fork.body.id);
    await files.write('a/b.txt', 'after');
    await copy.write('c.txt', 'own');
    expect([await copy.text('a/b.txt'), await files.paths()]).toEqual(['before', ['a', 'a/b.txt']]);
  });

  describe('upload', () => {
    it('takes several files into a folder', async () => {
      const uploaded = await files.upload({ 'a.txt': 'one', 'r\u00e9sum\u00e9.bin': Buffer.from([0, 1, 2]) }, 'in/box');
      expect(uploaded).toMatchObject({
        status: 200,
        body: {
          items: [{ path: 'in/box/a.txt', operation: 'created', bytes: 3 }, { path: 'in/box/r\u00e9sum\u00e9.bin' }],
        },
      });
      expect(await files.text('in/box/a.txt')).toBe('one');
      expect((await files.ask('read', { path: 'in/box/r\u00e9sum\u00e9.bin' })).body).toMatchObject({
        encoding: 'base64',
        content: 'AAEC',
      });
    });

    it('keeps none of them unless all have come in', async () => {
      const uploaded = await files.upload({ 'a.txt': 'one', 'big.bin': Buffer.alloc(400_000) });
      expect(uploaded).toMatchObject({ status: 413, body: { code: 'file_too_large' } });
      expect(await files.paths()).toEqual([]);
    });

    it('takes of a name its last part only, and refuses what is no name', async () => {
      expect((await files.upload({ '../../x.txt': '1' })).body.items).toMatchObject([{ path: 'x.txt' }]);
      expect(await files.upload({ 'x.txt': '1' }, '../out')).toMatchObject({ status: 403 });
      expect(await files.upload({ ['n'.repeat(300)]: '1' })).toMatchObject({
        status: 400,
        body: { code: 'path_invalid' },
      });
      expect(await files.upload({})).toMatchObject({ status: 400 });
      const json = await api.post(`/api/v1/files/upload?sessionId=${files.sessionId}`, {});
      expect(json).toMatchObject({ status: 400, body: { field: 'files' } });
      expect(await files.upload({ 'x.txt': '2' }, undefined, newId('ses'))).toMatchObject({ status: 404 });
      expect(await files.upload({ 'x.txt': '2' }, undefined, 'x')).toMatchObject({
        status: 400,
        body: { field: 'sessionId' },
      });
      expect(await files.text('x.txt')).toBe('1');
    });
  });

  describe('download', () => {
    it('sends the whole, a range, or word that the client has it', async () => {
      const { etag } = await files.write('a b.txt', '0123456789');
      const whole = await files.download('a b.txt');
      expect([whole.status, await whole.text(), whole.headers.get('etag')]).toEqual([200, '0123456789', `"${etag}"`]);
      expect(whole.headers.get('accept-ranges')).toBe('bytes');
      const part = await files.download('a b.txt', { range: 'bytes=2-4' });
      expect([part.status, await part.text(), part.headers.get('content-range')]).toEqual([206, '234', 'bytes 2-4/10']);
      const tail = await files.download('a b.txt', { range: 'bytes=-3', 'if-range': `"${etag}"` });
      expect([tail.status, await tail.text()]).toEqual([206, '789']);
      const stale = await files.download('a b.txt', { range: 'bytes=-3', 'if-range': '"old"' });
      expect([stale.status, await stale.text()]).toEqual([200, '0123456789']);
      expect(
        (await files.download('a b.txt', { 'if-none-match': `"${etag}"`, 'cache-control': 'max-age=0' })).status,
      ).toBe(304);
      const beyond = await files.download('a b.txt', { range: 'bytes=20-' });
      expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */10']);
      expect(await beyond.json()).toMatchObject({ code: 'range_not_satisfiable' });
      expect((await files.download('a b.txt', { 'if-match': '"old"' })).status).toBe(412);
    });

    it('packs a folder', async () => {
      await files.write('a/b.txt', 'one');
      await files.write('a/c/d.txt', 'two');
      await files.write('e.txt', 'three');
      const whole = await files.zip();
      expect(whole.headers.get('content-disposition')).toContain('workspace.zip');
      expect(await files.unpacked(whole)).toEqual({ 'a/b.txt': 'one', 'a/c/d.txt': 'two', 'e.txt': 'three' });
      expect(await files.unpacked(await files.zip('a'))).toEqual({ 'b.txt': 'one', 'c/d.txt': 'two' });
      expect((await files.zip('none')).status).toBe(404);
    });
  });

  it.each([
    ['read', { path: 7 }, 'path'],
    ['read', {}, 'path'],
    ['read', { path: 'a', offset: -1 }, 'offset'],
    ['read', { path: 'a', length: 1e9 }, 'length'],
    ['read', { path: 'a', startLine: 0 }, 'startLine'],
    ['read', { path: 'a', encoding: 'ebcdic' }, 'encoding'],
    ['write', { path: 'a' }, 'content'],
    ['write', { path: 'a', content: 'x', ifNoneMatch: 'y' }, 'ifNoneMatch'],
    ['write', { path: 'a', content: 'x', runId: newId('run') }, 'runId'],
    ['edit', { path: 'a', oldText: '', newText: 'x' }, 'oldText'],
    ['edit', { path: 'a', oldText: 'x', newText: 'y', count: 0 }, 'count'],
    ['patch', { path: 'a' }, 'patch'],
    ['list', { depth: 99 }, 'depth'],
    ['list', { limit: 1e9 }, 'limit'],
    ['search', {}, 'pattern'],
    ['search', { pattern: 'a\0b' }, 'pattern'],
    ['search', { pattern: 'x', limit: 0 }, 'limit'],
    ['search', { pattern: 'x', context: 99 }, 'context'],
    ['move', { from: 'a' }, 'to'],
    ['copy', { to: 'a' }, 'from'],
    ['delete', { path: 'a', recursive: 'yes' }, 'recursive'],
    ['mkdir', {}, 'path'],
    ['restore', {}, 'runId'],
  ])('refuses %s of %j, naming %s', async (what, body, field) => {
    expect(await files.ask(what, body)).toMatchObject({ status: 400, body: { field } });
  });

  it('refuses a session that is none, and one that is not there', async () => {
    for (const [sessionId, status] of [
      ['x', 400],
      [newId('ses'), 404],
    ] as const) {
      const nobody = new FileClient(api, sessionId);
      expect(await nobody.ask('read', { path: 'a' })).toMatchObject({ status });
      expect(await nobody.ask('write', { path: 'a', content: 'x' })).toMatchObject({ status });
      expect(await nobody.ask('search', { pattern: 'x' })).toMatchObject({ status });
      expect((await nobody.download('a')).status).toBe(status);
      expect((await nobody.zip()).status).toBe(status);
    }
  });
});
