import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@scorpio/config';
import { tempDir } from '../../../test/support/temp-dir';
import type { Workspace } from './workspace';
import { Workspaces } from './workspaces';

const RACE_MS = 2_000;
const SECRET = 'SECRET';

/** Puts a link to the outside in the place of `dir` and takes it away again, as fast as it can. What we make between is removed. */
const SWAPPER = `
  const { renameSync, rmSync, unlinkSync } = require('node:fs');
  const [dir, outside, spare] = process.argv.slice(1);
  const tried = (work) => { try { work(); return true; } catch { return false; } };
  const or = (swap) => tried(swap) || tried(() => rmSync(dir, { recursive: true, force: true }));
  process.stdout.write('swapping');
  for (;;) {
    or(() => renameSync(dir, spare));
    or(() => symlinkSync(outside, dir));
    or(() => unlinkSync(dir));
    or(() => renameSync(spare, dir));
  }`;

describe('the guard against folders that become links', () => {
  let outside: string;
  let disk: string;
  let workspace: Workspace;
  let swapper: ChildProcess;

  beforeEach(async () => {
    const dir = tempDir();
    const workspaces = new Workspaces(loadConfig({ DATA_DIR: dir, SECRET_KEY: 'k'.repeat(40) }));
    workspace = workspaces.of('ses_race');
    disk = workspace.root;
    outside = tempDir();
    writeFileSync(join(outside, 'f'), SECRET);
    writeFileSync(join(outside, 'victim'), SECRET);
    mkdirSync(join(outside, 'sub'));
    mkdirSync(join(disk, 'dir/sub'), { recursive: true });
    writeFileSync(join(disk, 'dir/f'), 'mine');
    swapper = spawn(process.execPath, ['-e', SWAPPER, join(disk, 'dir'), outside, join(disk, 'spare')]);
    await once(swapper.stdout!, 'data');
  });
  afterEach(async () => {
    // Whoever swapped no more proved nothing.
    expect(swapper.exitCode).toBeNull();
    const ended = once(swapper, 'exit');
    swapper.kill('SIGKILL');
    await ended;
  });

  it('[W7] never reads, writes, lists, deletes or packs through one, however often they are swapped', async () => {
    const seen = { inside: 0, refused: 0 };
    const note = (text: string): void => {
      expect(text).not.toContain(SECRET);
      seen.inside++;
    };
    const refused = (error: { code?: string }): void => {
      // Between two renames there is nothing; what was seen may have moved.
      expect(['path_outside_workspace', 'file_not_found', 'not_a_folder', 'etag_mismatch', 'path_taken']).toContain(
        error.code,
      );
      seen.refused++;
    };
    let n = 0;
    for (const end = performance.now() + RACE_MS; performance.now() < end; n++) {
      await Promise.all([
        workspace.read('dir/f').then(({ content }) => note(content), refused),
        workspace.write('dir/f', `mine ${n}`).then(() => seen.inside++, refused),
        workspace.write(`dir/sub/new${n}`, 'mine').then(() => seen.inside++, refused),
        workspace
          .list({ path: 'dir', limit: 100 })
          .then((list) => note(JSON.stringify(list.entries.map(({ path }) => path))), refused),
        workspace.delete('dir/victim').then(() => seen.inside++, refused),
        workspace.copy('dir', `copy${n}`).then(() => seen.inside++, refused),
        workspace.move('dir/f', `moved${n}`).then(() => seen.inside++, refused),
      ]);
    }
    expect(readFileSync(join(outside, 'f'), 'utf8')).toBe(SECRET);
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe(SECRET);
    expect(readdirSync(outside).sort()).toEqual(['f', 'sub', 'victim']);
    expect(readdirSync(join(outside, 'sub'))).toEqual([]);
    for (const { path, type } of (await workspace.list({ depth: 9, limit: 100_000 })).entries)
      if (type === 'file' && /^(copy|moved)/.test(path))
        expect((await workspace.read(path)).content).not.toContain(SECRET);
    // Both were met, or the race was none.
    expect(seen.inside).toBeGreaterThan(10);
    expect(seen.refused).toBeGreaterThan(10);
  }, 60_000);
});
