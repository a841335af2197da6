import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from './report';
import type { Rig } from './rig';
import { percentile, spread } from './statistics';
import { startScorpio } from './targets';

const FILES = 50_000;
const PER_FOLDER = 250;
const LINES = 60;
const ROUNDS = 9;
/** The binary that the server runs too. */
const RIPGREP = require.resolve(`@vscode/ripgrep-${process.platform}-${process.arch}/bin/rg`);

/** As many source-like files as a large project has: a word in all of them, and one in a single file. */
function plant(dir: string): void {
  const line = (n: number): string =>
    `  const value${n} = compute(${n}, 'common words of code'); // ${'x'.repeat(n % 40)}\n`;
  const text = Array.from({ length: LINES }, (_, n) => line(n)).join('');
  for (let n = 0; n < FILES; n++) {
    const folder = join(dir, `package${Math.floor(n / PER_FOLDER)}`, 'src');
    if (n % PER_FOLDER === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `file${n}.ts`), n === FILES / 2 ? `${text}needle\n` : text);
  }
}

/** Search by the route against ripgrep itself in the same folder, in turns: a word of one file, and the first thousand of a common one. */
export async function measureFileSearch(rig: Rig): Promise<Row[]> {
  const setup = rig.setup('embedded');
  const target = await startScorpio(setup);
  const headers = { authorization: `Bearer ${setup.key}`, 'content-type': 'application/json' };
  const ask = async <Body>(path: string, body: object): Promise<Body> => {
    const answer = await fetch(`${target.url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Body;
  };
  const { id: sessionId } = await ask<{ id: string }>('sessions', {});
  const dir = join(setup.dataDir, 'workspaces', sessionId, 'files');
  plant(dir);
  const timed = async (work: () => unknown): Promise<number> => {
    const begun = performance.now();
    await work();
    return performance.now() - begun;
  };
  const ours = { rare: [] as number[], first: [] as number[] };
  const bare: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const rare = await timed(() => ask('files/search', { sessionId, pattern: 'needle' }));
    const alone = await timed(() =>
      execFileSync(RIPGREP, ['--no-config', '--line-number', 'needle', './'], { cwd: dir }),
    );
    const first = await timed(() => ask('files/search', { sessionId, pattern: 'common', limit: 1_000 }));
    if (round < 0) continue;
    ours.rare.push(rare);
    ours.first.push(first);
    bare.push(alone);
  }
  await target.child.stop();
  const base = percentile(bare, 0.5);
  return [
    {
      measure: `9a Search of ${FILES.toLocaleString('en')} files, a rare word`,
      store: 'embedded',
      value: `${percentile(ours.rare, 0.5).toFixed(0)} ms`,
      base: `${base.toFixed(0)} ms ripgrep`,
      score: spread(ours.rare.map((took, index) => took / bare[index])),
      goal: 1.2,
    },
    {
      measure: '9a First 1,000 of many hits',
      store: 'embedded',
      value: `${percentile(ours.first, 0.5).toFixed(0)} ms`,
      score: spread(ours.first),
      unit: 'ms',
      goal: 50,
    },
  ];
}
