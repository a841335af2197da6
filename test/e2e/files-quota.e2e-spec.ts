import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppHarness } from '../support/app-harness';
import { FileClient } from '../support/file-client';
import { makeSession } from '../support/session-server';
import { describeStores } from '../support/stores';

describeStores('the quota of files', (store) => {
  let app: AppHarness;
  let files: FileClient;
  beforeAll(async () => {
    app = await AppHarness.start({ ...store.env(), WORKSPACE_MAX_BYTES: '1000', WORKSPACE_MAX_FILES: '10' });
  });
  afterAll(() => app?.close());
  beforeEach(async () => {
    files = new FileClient(app.api(), (await makeSession(app.api())).id);
  });
  const FULL = { status: 507, body: { code: 'quota_exceeded' } };

  it('[W12] refuses what does not fit, and leaves what was there', async () => {
    await files.write('a', 'x'.repeat(600));
    expect(await files.ask('write', { path: 'b', content: 'x'.repeat(500) })).toMatchObject(FULL);
    expect(await files.ask('write', { path: 'a', content: 'y'.repeat(1_001) })).toMatchObject(FULL);
    expect(await files.ask('copy', { from: 'a', to: 'b' })).toMatchObject(FULL);
    expect(await files.upload({ b: 'x'.repeat(500) })).toMatchObject(FULL);
    expect(await files.ask('edit', { path: 'a', oldText: 'x'.repeat(600), newText: 'z'.repeat(1_001) })).toMatchObject(
      FULL,
    );
    expect([await files.text('a'), await files.paths()]).toEqual(['x'.repeat(600), ['a']]);
    // What is replaced makes room for what replaces it, and what is deleted for anything.
    await files.write('a', 'y'.repeat(1_000));
    await files.ask('delete', { path: 'a' });
    await files.write('b', 'x'.repeat(1_000));
  });

  it('refuses the eleventh file or folder, and counts what is deleted and moved', async () => {
    for (let n = 0; n < 4; n++) await files.write(`d${n}/f`, '');
    await files.write('e', '');
    await files.write('f', '');
    expect(await files.ask('write', { path: 'g', content: '' })).toMatchObject(FULL);
    expect(await files.ask('mkdir', { path: 'g' })).toMatchObject(FULL);
    expect(await files.ask('copy', { from: 'd0', to: 'g' })).toMatchObject(FULL);
    await files.write('e', 'x');
    await files.ask('move', { from: 'e', to: 'f', overwrite: true });
    await files.write('g', '');
    await files.ask('delete', { path: 'd0', recursive: true });
    expect(await files.ask('copy', { from: 'd1', to: 'h' })).toMatchObject({ status: 200 });
    expect(await files.ask('mkdir', { path: 'i' })).toMatchObject(FULL);
  });

  it('counts what a command has written past it', async () => {
    const disk = join(app.config.workspace.dir, files.sessionId, 'files');
    mkdirSync(disk, { recursive: true });
    writeFileSync(join(disk, 'b'), 'x'.repeat(2_000));
    expect(await files.ask('write', { path: 'c', content: 'x' })).toMatchObject(FULL);
    await files.ask('delete', { path: 'b' });
    await files.write('c', 'x');
  });
});
