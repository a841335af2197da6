import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { AppHarness } from '../support/app-harness';
import { FileClient } from '../support/file-client';
import { swapFolders } from '../support/folder-swapper';
import { makeSession } from '../support/session-server';
import { tempDir } from '../support/temp-dir';

const CANARY = 'SECRET canary\nSECRET song\n';
const RACE_MS = 3_000;
const OUTSIDE = { status: 403, body: { code: 'path_outside_workspace' } };

describe('attacks on the search of files', () => {
  let app: AppHarness;
  let files: FileClient;
  /** The session's folder on disk, as code in a sandbox would write it. */
  let disk: string;
  let outside: string;
  beforeAll(async () => {
    app = await AppHarness.start({ WORKSPACE_SEARCH_MS: '2000' });
    outside = tempDir();
    writeFileSync(join(outside, 'canary.txt'), CANARY);
  });
  afterAll(() => app?.close());
  beforeEach(async () => {
    files = new FileClient(app.api(), (await makeSession(app.api())).id);
    disk = join(app.config.workspace.dir, files.sessionId, 'files');
    mkdirSync(disk, { recursive: true });
  });
  afterEach(() => {
    expect(readFileSync(join(outside, 'canary.txt'), 'utf8')).toBe(CANARY);
    expect(readdirSync(outside)).toEqual(['canary.txt']);
  });

  it('[W7] tells of nothing outside when a folder becomes a link while ripgrep walks it', async () => {
    // Many folders: ripgrep enters each some time after it saw that it is one.
    for (let n = 0; n < 200; n++) {
      mkdirSync(join(disk, `dir${n}`));
      writeFileSync(join(disk, `dir${n}/canary.txt`), 'mine');
    }
    symlinkSync(outside, join(disk, 'link'));
    const swapper = await swapFolders(join(disk, 'dir100'), join(disk, 'link'));
    const met = new Set<string>();
    try {
      // Not before what is swapped was met as the folder that it sometimes is.
      for (const end = performance.now() + RACE_MS; performance.now() < end || !met.has('dir100/canary.txt');) {
        const all = await files.ask('search', { pattern: '.', limit: 1_000 });
        expect(all.text).not.toContain('SECRET');
        for (const { path } of all.body.matches) met.add(path);
        // Nor whether there is something: it counts for no limit.
        const asked = await files.ask('search', { pattern: 'SECRET', limit: 1 });
        expect(asked.body).toEqual({ matches: [], truncated: false });
        const single = await files.ask('search', { pattern: '.', path: 'dir100/canary.txt' });
        expect(single.text).not.toContain('SECRET');
      }
    } finally {
      await swapper.stop();
    }
    expect(met.size).toBeGreaterThanOrEqual(200);
  }, 60_000);

  it('[W15] takes no pattern for an option, and none that is wrong or slow', async () => {
    await files.write('a.txt', `${'a'.repeat(50_000)}!\n--pre=sh\n-e\n`);
    await files.write('run.sh', `echo ran > ${join(outside, 'ran')}\n`);
    const slow = await files.ask('search', { pattern: '(a+)+$', path: 'a.txt' });
    expect(slow).toMatchObject({ status: 200, body: { truncated: false } });
    for (const pattern of ['(?<', '(', '[', 'a{1000}{1000}{1000}', '(?=a)', '\\1'])
      expect(await files.ask('search', { pattern })).toMatchObject({
        status: 400,
        body: { code: 'pattern_invalid', field: 'pattern' },
      });
    for (const [pattern, line] of [
      ['--pre=sh', 2],
      ['-e', 3],
    ] as const)
      expect((await files.ask('search', { pattern, path: 'a.txt', literal: true })).body.matches).toMatchObject([
        { line },
      ]);
    expect(await files.ask('search', { pattern: 'x', glob: '--pre=sh' })).toMatchObject({ status: 200 });
    expect(await files.ask('search', { pattern: 'x', path: '--files' })).toMatchObject({ status: 404 });
  });

  it('[W16] ends a search at its limit, over whatever there is, and follows no link', async () => {
    writeFileSync(join(disk, 'many.txt'), 'needle\n'.repeat(1_000_000));
    mkdirSync(join(disk, 'node_modules'));
    writeFileSync(join(disk, 'node_modules/x.js'), 'needle\n');
    writeFileSync(
      join(disk, 'binary'),
      Buffer.concat([Buffer.from('needle\n'), Buffer.alloc(10), Buffer.from('needle\n')]),
    );
    writeFileSync(join(disk, 'long.txt'), `needle${'x'.repeat(1_000_000)}\n`);
    symlinkSync(outside, join(disk, 'link'));
    symlinkSync(join(outside, 'canary.txt'), join(disk, 'leaf'));
    const many = await files.ask('search', { pattern: 'needle', limit: 2_000 });
    expect(many.body).toMatchObject({ truncated: true, reason: 'limit' });
    expect(many.body.matches).toHaveLength(2_000);
    const long = (await files.ask('search', { pattern: 'needle', glob: 'long.txt' })).body.matches;
    expect(long).toHaveLength(1);
    expect(long[0].text.length).toBeLessThan(1_000);
    expect((await files.ask('search', { pattern: 'SECRET' })).body.matches).toEqual([]);
    for (const path of ['link', 'leaf', 'link/canary.txt'])
      expect(await files.ask('search', { pattern: 'SECRET', path })).toMatchObject(OUTSIDE);
    const rest = (await files.ask('search', { pattern: 'needle', glob: '!many.txt' })).body.matches;
    const paths = new Set(rest.map(({ path }: any) => path));
    expect(paths).toEqual(new Set(['long.txt', 'node_modules/x.js']));
  });
});
