import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { eventually } from '../support/eventually';
import { FileClient } from '../support/file-client';
import { makeSession } from '../support/session-server';
import { tempDir } from '../support/temp-dir';

const CANARY = 'SECRET canary';
const OUTSIDE = { status: 403, body: { code: 'path_outside_workspace' } };
const MEGABYTE = 1_048_576;

/** The attack list of the design on one session's files; each leaves a file outside as it was. */
describe('attacks on files', () => {
  let app: AppHarness;
  let api: ApiClient;
  let files: FileClient;
  /** The session's folder on disk, as code in a sandbox would write it. */
  let disk: string;
  let outside: string;
  let canary: string;
  beforeAll(async () => {
    app = await AppHarness.start({ WORKSPACE_MAX_FILE_BYTES: String(2 * MEGABYTE), WORKSPACE_SEARCH_MS: '2000' });
    api = app.api();
    outside = tempDir();
    canary = join(outside, 'canary.txt');
    writeFileSync(canary, CANARY);
  });
  afterAll(() => app?.close());
  beforeEach(async () => {
    files = new FileClient(api, (await makeSession(api)).id);
    disk = join(app.config.workspace.dir, files.sessionId, 'files');
    mkdirSync(disk, { recursive: true });
  });
  afterEach(() => {
    expect(readFileSync(canary, 'utf8')).toBe(CANARY);
    expect(readdirSync(outside)).toEqual(['canary.txt']);
  });

  /** Every route with a path, each asked for this one. */
  const everyWay = (path: string): Promise<{ status: number; text: string; body: any }>[] => [
    files.ask('read', { path }),
    files.ask('write', { path, content: 'overwritten' }),
    files.ask('edit', { path, oldText: 'SECRET', newText: 'x' }),
    files.ask('patch', { path, patch: '@@ -1,1 +1,1 @@\n-SECRET canary\n+x\n' }),
    files.ask('move', { from: path, to: 'stolen' }),
    files.ask('copy', { from: path, to: 'stolen' }),
    files.download(path).then(async (answer) => {
      const text = await answer.text();
      return { status: answer.status, text, body: JSON.parse(text) };
    }),
  ];
  const deeper = (path: string): Promise<{ status: number; text: string; body: any }>[] => [
    files.ask('stat', { path }),
    files.ask('delete', { path, recursive: true }),
    files.ask('list', { path }),
    files.ask('search', { path, pattern: '.' }),
    files.ask('mkdir', { path }),
    files.upload({ 'x.txt': 'x' }, path),
    files.zip(path).then(async (answer) => ({ status: answer.status, text: '', body: await answer.json() })),
  ];

  async function refusedEverywhere(path: string, ways = everyWay): Promise<void> {
    for (const answer of await Promise.all(ways(path))) {
      expect(answer).toMatchObject(OUTSIDE);
      expect(answer.text).not.toContain('SECRET');
    }
  }

  it('[W1] stays inside, however many steps up a path goes', async () => {
    for (const path of [
      '../../etc/passwd',
      'a/../../x',
      '..',
      '../../../../../../etc/passwd',
      '..\\..\\x',
      'a\\..\\..\\x',
    ]) {
      await refusedEverywhere(path);
      await refusedEverywhere(path, deeper);
    }
    await files.write('a\\b.txt', 'kept');
    expect([await files.text('a\\b.txt'), await files.text('x/../a\\b.txt')]).toEqual(['kept', 'kept']);
  });

  it('[W2] refuses absolute paths and twins of the workspace, and says the same whether or not there is something', async () => {
    for (const path of [canary, '/etc/passwd', '/workspace-evil/x', '/workspacex', '/', `${disk}/a`]) {
      await refusedEverywhere(path);
      await refusedEverywhere(path, deeper);
    }
    const [there, absent] = await Promise.all([canary, `${canary}.gone`].map((path) => files.ask('read', { path })));
    const { requestId: _a, ...one } = there.body;
    const { requestId: _b, ...other } = absent.body;
    expect(one).toEqual(other);
  });

  it('[W3] decodes no path twice', async () => {
    for (const path of ['%2e%2e%2fcanary.txt', '%252e%252e%252fx', '..%c0%afx', '\u2024\u2024/x', '%00'])
      expect(await files.ask('read', { path })).toMatchObject({ status: 404, body: { code: 'file_not_found' } });
    await files.write('%2e%2e%2fx', 'a name');
    expect(readdirSync(disk)).toEqual(['%2e%2e%2fx']);
    expect(await (await files.download('%2e%2e%2fx')).text()).toBe('a name');
  });

  it('[W4] refuses what is no path', async () => {
    const paths = [
      'a\0b',
      '',
      '.',
      './',
      'a/..',
      'x'.repeat(5_000),
      `a/${'n'.repeat(300)}`,
      '\ud800',
      'a/'.repeat(400) + 'b',
    ];
    for (const path of paths)
      for (const answer of await Promise.all(everyWay(path).slice(0, 5)))
        expect([path.slice(0, 20), answer.status]).toEqual([path.slice(0, 20), 400]);
    expect(readdirSync(disk)).toEqual([]);
  });

  it('[W5] follows no link: reads and writes through one are refused, deleting removes the link alone', async () => {
    symlinkSync(canary, join(disk, 'link'));
    await refusedEverywhere('link');
    expect((await files.ask('stat', { path: 'link' })).body).toMatchObject({ type: 'link', bytes: 0 });
    expect(await files.ask('move', { from: 'link', to: 'other' })).toMatchObject(OUTSIDE);
    await files.write('a.txt', 'mine');
    expect(await files.ask('move', { from: 'a.txt', to: 'link', overwrite: true })).toMatchObject(OUTSIDE);
    expect(await files.ask('copy', { from: 'a.txt', to: 'link', overwrite: true })).toMatchObject(OUTSIDE);
    expect(await files.upload({ link: 'x' })).toMatchObject(OUTSIDE);
    expect(lstatSync(join(disk, 'link')).isSymbolicLink()).toBe(true);
    expect(await files.ask('delete', { path: 'link' })).toMatchObject({ status: 200 });
    expect(existsSync(join(disk, 'link'))).toBe(false);
  });

  it('[W6] follows no link on the way, and packs, copies and lists none', async () => {
    symlinkSync(outside, join(disk, 'link'));
    for (const path of ['link/canary.txt', 'link/none', 'link/../link/canary.txt'])
      await refusedEverywhere(path.replace('link/../', ''));
    await refusedEverywhere('link/new', deeper);
    expect(await files.ask('list', { path: 'link' })).toMatchObject(OUTSIDE);
    await files.write('a/b.txt', 'mine');
    symlinkSync(canary, join(disk, 'a/c.txt'));
    expect(await files.paths()).toEqual(['a', 'a/b.txt', 'a/c.txt', 'link']);
    expect((await files.ask('list', { glob: '**' })).body.items.map(({ path }: any) => path)).toEqual(['a/b.txt']);
    expect(await files.unpacked(await files.zip())).toEqual({ 'a/b.txt': 'mine' });
    expect(await files.ask('copy', { from: 'a', to: 'd' })).toMatchObject({ status: 200 });
    expect(readdirSync(join(disk, 'd'))).toEqual(['b.txt']);
    expect(await files.ask('delete', { path: 'a', recursive: true })).toMatchObject({ status: 200 });
    expect(await files.ask('delete', { path: 'link', recursive: true })).toMatchObject({ status: 200 });
  });

  it('[W8] is not held up by links that lead to themselves or nowhere', async () => {
    symlinkSync('loop', join(disk, 'loop'));
    symlinkSync('b', join(disk, 'a'));
    symlinkSync('a', join(disk, 'b'));
    symlinkSync('nowhere', join(disk, 'dangling'));
    await files.ask('stat', { path: 'loop' });
    const begun = performance.now();
    for (const path of ['loop', 'loop/x', 'a/b/a', 'dangling', 'dangling/x'])
      expect(await files.ask('read', { path })).toMatchObject(OUTSIDE);
    expect(await files.ask('write', { path: 'dangling', content: 'x' })).toMatchObject(OUTSIDE);
    expect(performance.now() - begun).toBeLessThan(6 * 100);
    expect(existsSync(join(disk, 'nowhere'))).toBe(false);
  });

  it('[W9] takes no pipe, socket, device or folder for a file, and is not held up by them', async () => {
    execFileSync('mkfifo', [join(disk, 'pipe')]);
    mkdirSync(join(disk, 'folder'));
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(disk, 'socket'), done));
    // As many as the thread pool has threads, twice: blocking opens would freeze every other file call.
    const reads = Array.from({ length: 8 }, () => files.ask('read', { path: 'pipe' }));
    const none = { status: 400, body: { code: 'not_a_regular_file' } };
    for (const path of ['pipe', 'socket'])
      for (const answer of await Promise.all(everyWay(path))) expect(answer).toMatchObject(none);
    const bodies = {
      read: {},
      write: { content: 'x' },
      edit: { oldText: 'x', newText: 'y' },
      patch: { patch: '@@ -1,1 +1,1 @@\n-x\n+y\n' },
    };
    for (const [way, body] of Object.entries(bodies))
      expect(await files.ask(way, { path: 'folder', ...body })).toMatchObject(none);
    expect((await files.download('folder')).status).toBe(400);
    await files.write('plain', 'works');
    for (const read of await Promise.all(reads)) expect(read.status).toBe(400);
    expect(await files.text('plain')).toBe('works');
    expect((await files.ask('search', { pattern: 'works' })).body.matches).toHaveLength(1);
    expect(await files.unpacked(await files.zip())).toEqual({ plain: 'works' });
    await new Promise((done) => server.close(done));
    expect((await files.ask('delete', { path: 'pipe' })).status).toBe(200);
  });

  it('[W10] reads of a file of 5 GB what it answers, and no more', async () => {
    writeFileSync(join(disk, 'huge'), '');
    truncateSync(join(disk, 'huge'), 5 * 1024 * MEGABYTE);
    writeFileSync(join(disk, 'words'), 'word '.repeat(100));
    truncateSync(join(disk, 'words'), 5 * 1024 * MEGABYTE);
    await files.ask('read', { path: 'huge', length: 1000 });
    const before = process.memoryUsage().rss;
    let most = 0;
    const meter = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 5);
    expect((await files.ask('read', { path: 'huge' })).body).toMatchObject({
      bytes: 5 * 1024 * MEGABYTE,
      truncated: true,
    });
    expect((await files.ask('read', { path: 'huge', offset: 5 * 1024 * MEGABYTE - 5 })).body).toMatchObject({
      content: Buffer.alloc(5).toString('base64'),
      truncated: false,
    });
    expect((await files.ask('read', { path: 'words', startLine: 2, encoding: 'utf-8' })).status).toBe(413);
    expect((await files.ask('edit', { path: 'words', oldText: 'a', newText: 'b' })).status).toBe(413);
    expect((await files.ask('copy', { from: 'huge', to: 'copy' })).status).toBe(413);
    expect((await files.ask('search', { pattern: 'word' })).status).toBe(200);
    const part = await files.download('huge', { range: 'bytes=4000000000-4000000009' });
    expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 10]);
    clearInterval(meter);
    expect(most - before).toBeLessThan(50 * MEGABYTE);
    expect(await files.paths()).toEqual(['huge', 'words']);
  });

  it('[W11] ends a body above the limit with 413 and leaves no part of it', async () => {
    const content = Buffer.alloc(2 * MEGABYTE + 1).toString('latin1');
    expect(await files.ask('write', { path: 'a', content })).toMatchObject({
      status: 413,
      body: { code: 'file_too_large' },
    });
    const boundary = 'xxx';
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const path = `/api/v1/files/upload?sessionId=${files.sessionId}`;
      const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, 'transfer-encoding': 'chunked' };
      const outgoing = request(`${app.url}${path}`, { method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      outgoing.once('error', reject);
      outgoing.write(`--${boundary}\r\nContent-Disposition: form-data; name="files"; filename="big"\r\n\r\n`);
      for (let n = 0; n < 5; n++) outgoing.write(Buffer.alloc(MEGABYTE));
      outgoing.end(`\r\n--${boundary}--\r\n`);
    });
    expect(status).toBe(413);
    expect(readdirSync(disk)).toEqual([]);
    await eventually(() => expect(readdirSync(join(app.config.workspace.dir, '.staging'))).toEqual([]));
  });

  it('[W13] mangles no name and no content', async () => {
    const contents = {
      'crlf.txt': Buffer.from('a\r\nb\r\n'),
      'mixed.txt': Buffer.from('a\r\nb\n'),
      'bom.txt': Buffer.from('\ufeffa\n'),
      'utf16le.txt': Buffer.from('\ufeffh\u00e9\ud83d\ude00\r\n', 'utf16le'),
      'utf16be.txt': Buffer.from('\ufeffh\u00e9\n', 'utf16le').swap16(),
      'latin1.txt': Buffer.from('caf\u00e9\n', 'latin1'),
      'binary.bin': Buffer.from([0, 159, 146, 150, 255]),
      'empty.txt': Buffer.alloc(0),
    };
    for (const [name, content] of Object.entries(contents)) {
      writeFileSync(join(disk, name), content);
      const { body } = await files.ask('read', { path: name });
      await files.write(name, body.content, { encoding: body.encoding });
      expect([name, readFileSync(join(disk, name))]).toEqual([name, content]);
    }
    // An edit keeps what it does not touch.
    await files.ask('edit', { path: 'utf16le.txt', oldText: 'h', newText: 'H' });
    expect(readFileSync(join(disk, 'utf16le.txt'))).toEqual(Buffer.from('\ufeffH\u00e9\ud83d\ude00\r\n', 'utf16le'));
    await files.ask('edit', { path: 'bom.txt', oldText: 'a', newText: 'b' });
    expect(readFileSync(join(disk, 'bom.txt'), 'utf8')).toBe('\ufeffb\n');
    for (const [content, encoding] of [
      ['\ud800', 'utf-8'],
      ['\u20ac', 'latin1'],
      ['a', 'base64'],
      ['a*==', 'base64'],
    ])
      expect(await files.ask('write', { path: 'x', content, encoding })).toMatchObject({
        status: 400,
        body: { code: 'content_invalid', field: 'content' },
      });
    expect(await files.ask('edit', { path: 'binary.bin', oldText: 'a', newText: 'b' })).toMatchObject({
      status: 400,
      body: { code: 'not_a_text_file' },
    });
    const name = Buffer.from([0x66, 0xff, 0x6f]);
    writeFileSync(Buffer.concat([Buffer.from(`${disk}/`), name]), 'x');
    const odd = (await files.ask('list', {})).body.items.find(({ pathBase64 }: any) => pathBase64);
    expect(odd).toMatchObject({ path: 'f\ufffdo', pathBase64: name.toString('base64'), bytes: 1 });
  });

  it('[W17] lists odd names as they are', async () => {
    const names = ['line\nbreak', 'esc\u001b[31m', '-rf', '\u202egpj.exe', '"quoted"', ' '];
    for (const name of names) await files.write(name, 'x');
    expect((await files.paths()).sort()).toEqual([...names].sort());
    const found = (await files.ask('search', { pattern: 'x' })).body.matches.map(({ path }: any) => path);
    expect(found.sort()).toEqual([...names].sort());
    for (const name of names) {
      const answer = await files.download(name);
      expect([answer.status, await answer.text()]).toEqual([200, 'x']);
      expect(answer.headers.get('content-disposition')).not.toMatch(/[\u0000-\u001f\u202e]/);
      expect((await files.ask('delete', { path: name })).status).toBe(200);
    }
    expect(readdirSync(disk)).toEqual([]);
  });

  it('[W18] runs nothing of what is written', async () => {
    const hook = `#!/bin/sh\necho ran > ${join(outside, 'ran')}\n`;
    await files.write('.git/hooks/pre-commit', hook);
    await files.write('.git/config', `[core]\n\tfsmonitor = "sh -c 'echo ran > ${join(outside, 'ran')}'"\n`);
    await files.write('.ripgreprc', '--pre=sh\n');
    await files.write('.rgignore', '*\n');
    await files.ask('list', { glob: '**' });
    await files.ask('search', { pattern: 'ran', hidden: true });
    expect((await files.zip()).status).toBe(200);
    expect(await files.text('.git/hooks/pre-commit')).toBe(hook);
  });

  it('[W19] sends every file to be saved, and none to be shown', async () => {
    for (const name of ['page.html', 'image.svg', 'plain', 'script.js']) {
      await files.write(name, '<script>alert(1)</script>');
      const { headers } = await files.download(name);
      expect(headers.get('content-type')).toBe('application/octet-stream');
      expect(headers.get('content-disposition')).toMatch(/^attachment;/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('[W20] unpacks no archive: what is uploaded stays one file', async () => {
    const archive = Buffer.from('504b0506000000000000000000000000000000000000', 'hex');
    await files.upload({ '../evil.zip': archive, 'evil.tar': Buffer.from('../evil') });
    expect(await files.paths()).toEqual(['evil.tar', 'evil.zip']);
  });
});
