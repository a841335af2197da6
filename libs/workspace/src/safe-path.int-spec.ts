import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@scorpio/config';
import { swapFolders } from '../../../test/support/folder-swapper';
import { tempDir } from '../../../test/support/temp-dir';
import { GUARDED } from './safe-path';
import type { Workspace } from './workspace';
import { Workspaces } from './workspaces';

const RACE_MS = 2_000;
const SECRET = 'SECRET';

// What stands in elsewhere is weaker, and says so.
(GUARDED ? describe : describe.skip)('the guard against folders that become links', () => {
  let outside: string;
  let disk: string;
  let workspace: Workspace;
  let swapper: Awaited<ReturnType<typeof swapFolders>>;

  beforeEach(async () => {
    const dir = tempDir();
    const workspaces = new Workspaces(loadConfig({ DATA_DIR: dir, SECRET_KEY: 'k'.repeat(40) }));
    workspace = workspaces.of('ses_race');
    disk = workspace.root;
    outside = tempDir();
    writeFileSync(join(outside, 'f'), SECRET);
    writeFileSync(join(outside, 'victim'), SECRET);
    writeFileSync(join(outside, SECRET), '');
    mkdirSync(join(outside, 'sub'));
    mkdirSync(join(disk, 'dir/sub'), { recursive: true });
    writeFileSync(join(disk, 'dir/f'), 'mine');
    symlinkSync(outside, join(disk, 'link'));
    swapper = await swapFolders(join(disk, 'dir'), join(disk, 'link'));
  });
  afterEach(() => swapper.stop());

  it('[W7] never reads, writes, lists, deletes or packs through one, however often they are swapped', async () => {
    const seen = { inside: 0, refused: 0 };
    const note = (text: string): void => {
      expect(text).not.toContain(SECRET);
      seen.inside++;
    };
    const refused = (error: Error & { code?: string }): void => {
      if (error.code === undefined) throw error;
      // Between two renames there is nothing; what was seen may have moved.
      expect(['path_outside_workspace', 'file_not_found', 'not_a_folder', 'etag_mismatch', 'path_taken']).toContain(
        error.code,
      );
      seen.refused++;
    };
    const end = performance.now() + RACE_MS;
    const again = async (work: (n: number) => Promise<unknown>): Promise<void> => {
      for (let n = 0; performance.now() < end; n++) await work(n).catch(refused);
    };
    await Promise.all([
      ...[1, 2, 3, 4].map(() => again(async () => note((await workspace.read('dir/f')).content))),
      again(async () => note(JSON.stringify((await workspace.list({ path: 'dir', limit: 100 })).entries))),
      again(async (n) => workspace.write('dir/f', `mine ${n}`)),
      again(async (n) => workspace.write(`dir/sub/new${n}`, 'mine')),
      again(async () => workspace.delete('dir/victim')),
      again(async (n) => workspace.copy('dir', `copy${n}`)),
      again(async (n) => workspace.move('dir/f', `moved${n}`)),
    ]);
    expect(readFileSync(join(outside, 'f'), 'utf8')).toBe(SECRET);
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe(SECRET);
    expect(readdirSync(outside).sort()).toEqual([SECRET, 'f', 'sub', 'victim']);
    expect(readdirSync(join(outside, 'sub'))).toEqual([]);
    for (const { path, type } of (await workspace.list({ depth: 9, limit: 100_000 })).entries)
      if (type === 'file' && /^(copy|moved)/.test(path))
        expect((await workspace.read(path)).content).not.toContain(SECRET);
    // Both were met, or the race was none.
    expect(seen.inside).toBeGreaterThan(10);
    expect(seen.refused).toBeGreaterThan(10);
  }, 60_000);
});
