import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newId } from '@scorpio/kernel';
import { AppHarness } from '../../../../test/support/app-harness';
import { eventually } from '../../../../test/support/eventually';
import { FileClient } from '../../../../test/support/file-client';
import { makeSession, owner } from '../../../../test/support/session-server';
import { describeStores } from '../../../../test/support/stores';
import { BlobsService } from '../blobs/blobs.service';
import { FileChangeRepository } from './file-change.repository';
import { FilesService } from './files.service';

describeStores('what runs change of files', (store) => {
  let app: AppHarness;
  let service: FilesService;
  let files: FileClient;
  let disk: string;
  let runId: string;
  beforeAll(async () => {
    app = await AppHarness.start({ SWEEP_INTERVAL_MS: '600000', SESSION_PURGE_DELAY_MS: '0', ...store.env() });
    service = app.app.get(FilesService);
  });
  afterAll(() => app?.close());
  beforeEach(async () => {
    files = new FileClient(app.api(), (await makeSession(app.api())).id);
    disk = join(app.config.workspace.dir, files.sessionId, 'files');
    runId = newId('run');
  });

  const target = (path: string) => ({ sessionId: files.sessionId, path, runId });
  const write = (path: string, content: string, more: object = {}) =>
    service.write(owner, { ...target(path), content, ...more });
  const changes = async (run = runId, more = '') => {
    const query = `sessionId=${files.sessionId}&runId=${run}&diff=true${more}`;
    const { status, body } = await app.api().get(`/api/v1/files/changes?${query}`);
    expect(status).toBe(200);
    return body;
  };
  const restore = async (more: object = {}) => {
    const { status, body } = await files.ask('restore', { runId, ...more });
    expect(status).toBe(200);
    return Object.fromEntries(body.items.map(({ path, outcome }: any) => [path, outcome]));
  };

  it('are listed with their diffs, from before the first change to after the last', async () => {
    await files.write('old.txt', 'one\ntwo\n');
    await files.write('gone.txt', 'bye\n');
    await files.write('untouched.txt', 'x');
    await write('old.txt', 'one\n2\n');
    await service.edit(owner, { ...target('old.txt'), oldText: '2', newText: '3' });
    await write('new.bin', 'AAEC', { encoding: 'base64' });
    await write('new.txt', 'hello\n');
    await write('passing.txt', 'x');
    await service.delete(owner, target('passing.txt'));
    await service.delete(owner, target('gone.txt'));
    const { items, nextCursor } = await changes();
    expect(nextCursor).toBeNull();
    expect(items).toMatchObject([
      {
        path: 'old.txt',
        operation: 'modified',
        before: { bytes: 8 },
        after: { bytes: 6 },
        restorable: true,
        diff: '--- a/old.txt\n+++ b/old.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+3\n',
      },
      { path: 'new.bin', operation: 'created', before: null, after: { bytes: 3 }, diff: null },
      { path: 'new.txt', operation: 'created', diff: '--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,1 @@\n+hello\n' },
      {
        path: 'gone.txt',
        operation: 'deleted',
        after: null,
        diff: '--- a/gone.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-bye\n',
      },
    ]);
    const first = await changes(runId, '&limit=2');
    const rest = await changes(runId, `&limit=50&cursor=${first.nextCursor}`);
    expect([...first.items, ...rest.items]).toEqual(items);
    expect((await changes(newId('run'))).items).toEqual([]);
  });

  it('keep their diffs when a later run goes on from there', async () => {
    await write('a.txt', 'one\n');
    await service.write(owner, { ...target('a.txt'), runId: newId('run'), content: 'two\n' });
    expect((await changes()).items[0].diff).toContain('+one');
  });

  it('are taken back as a whole: changed, made and deleted files, moved and deleted folders', async () => {
    await files.write('old.txt', 'old\r\n');
    await files.write('gone.txt', '');
    await files.write('folder/a/b.txt', 'b');
    await files.write('removed/c.txt', 'c');
    await write('old.txt', 'new');
    await write('made/by/run.txt', 'new');
    await service.delete(owner, target('gone.txt'));
    await service.move(owner, { sessionId: files.sessionId, runId, from: 'folder', to: 'elsewhere' });
    await service.delete(owner, { ...target('removed'), recursive: true });
    await service.copy(owner, { sessionId: files.sessionId, runId, from: 'elsewhere', to: 'twin' });
    const outcomes = await restore();
    expect(new Set(Object.values(outcomes))).toEqual(new Set(['restored']));
    const kept = await Promise.all(
      ['old.txt', 'gone.txt', 'folder/a/b.txt', 'removed/c.txt'].map((path) => files.text(path)),
    );
    expect(kept).toEqual(['old\r\n', '', 'b', 'c']);
    for (const path of ['made/by/run.txt', 'elsewhere/a/b.txt', 'twin/a/b.txt'])
      expect(existsSync(join(disk, path))).toBe(false);
    expect(new Set(Object.values(await restore()))).toEqual(new Set(['unchanged']));
  });

  it('are taken back only where nobody has changed the file since', async () => {
    for (const path of ['mine.txt', 'theirs.txt', 'removed.txt', 'between.txt']) await files.write(path, 'before');
    for (const path of ['mine.txt', 'theirs.txt', 'removed.txt', 'between.txt', 'new.txt'])
      await write(path, 'by the run');
    writeFileSync(join(disk, 'theirs.txt'), 'by a command');
    rmSync(join(disk, 'removed.txt'));
    await files.write('new.txt', 'by a person');
    await files.write('between.txt', 'by a person');
    await write('between.txt', 'by the run again');
    expect(await restore({ paths: ['mine.txt', 'theirs.txt'] })).toEqual({
      'mine.txt': 'restored',
      'theirs.txt': 'conflict',
    });
    expect(await restore()).toEqual({
      'mine.txt': 'unchanged',
      'theirs.txt': 'conflict',
      'removed.txt': 'conflict',
      'between.txt': 'conflict',
      'new.txt': 'conflict',
    });
    expect(readFileSync(join(disk, 'mine.txt'), 'utf8')).toBe('before');
    expect(readFileSync(join(disk, 'theirs.txt'), 'utf8')).toBe('by a command');
    expect(await files.text('new.txt')).toBe('by a person');
  });

  it('leave no record of what was refused, and say what was too large to be kept', async () => {
    await files.write('a.txt', 'x');
    await expect(write('a.txt', 'y', { ifMatch: 'other' })).rejects.toMatchObject({ code: 'etag_mismatch' });
    await expect(service.edit(owner, { ...target('a.txt'), oldText: 'z', newText: 'y' })).rejects.toMatchObject({
      code: 'edit_mismatch',
    });
    expect((await changes()).items).toEqual([]);
    await files.write('big.txt', 'x'.repeat(6_000_000));
    await write('big.txt', 'small');
    expect((await changes()).items).toMatchObject([{ path: 'big.txt', restorable: false, diff: null }]);
    expect(await restore()).toEqual({ 'big.txt': 'not_kept' });
    expect(await files.text('big.txt')).toBe('small');
  });

  it('are bound to the session: another one has no part in them', async () => {
    await write('a.txt', 'x');
    const other = new FileClient(app.api(), (await makeSession(app.api())).id);
    expect((await other.ask('restore', { runId })).body.items).toEqual([]);
    expect(await files.text('a.txt')).toBe('x');
    expect(await files.ask('restore', { runId, paths: [] })).toMatchObject({ status: 400, body: { field: 'paths' } });
    expect(await app.api().get(`/api/v1/files/changes?sessionId=${files.sessionId}&runId=x`)).toMatchObject({
      status: 400,
      body: { field: 'runId' },
    });
    expect(
      await app.api().get(`/api/v1/files/changes?sessionId=${files.sessionId}&runId=${runId}&cursor=x`),
    ).toMatchObject({ status: 400, body: { code: 'cursor_invalid' } });
  });

  it('go with the session, and so do its files', async () => {
    await files.write('a.txt', 'before');
    await write('a.txt', 'after');
    const [change] = await app.app.get(FileChangeRepository).ofRun(files.sessionId, runId, { limit: 1 });
    expect((await app.api().delete(`/api/v1/sessions/${files.sessionId}`)).status).toBe(204);
    expect(await files.ask('read', { path: 'a.txt' })).toMatchObject({
      status: 404,
      body: { code: 'session_not_found' },
    });
    await eventually(async () => {
      expect(existsSync(join(app.config.workspace.dir, files.sessionId))).toBe(false);
      expect(await app.app.get(FileChangeRepository).ofRun(files.sessionId, runId, { limit: 1 })).toEqual([]);
    });
    await eventually(() =>
      expect(app.app.get(BlobsService).get(owner, change!.before!.blobId!)).rejects.toMatchObject({
        kind: 'not-found',
      }),
    );
  });
});
