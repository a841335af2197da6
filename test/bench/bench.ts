import { measureCommands } from './commands.bench';
import { stopAll } from './child';
import { measureFileSearch } from './files.bench';
import { measureHold } from './hold.bench';
import { measureLists } from './lists.bench';
import { measureMcpCalls } from './mcp.bench';
import { readOptions, type Options } from './options';
import { profile } from './profile';
import { measureReplay } from './replay.bench';
import { breached, load, machine, table, writeReport, type Row } from './report';
import { Rig } from './rig';
import { BareStore } from './seed';
import { measureStart } from './startup.bench';
import { median } from './statistics';
import { measureBurst, measureFirst, measurePaced, measureTurns } from './streams.bench';
import { measureTools } from './tools.bench';
import { removeFolders, startScorpio, type Setup, type Target } from './targets';

const INSERTS = 200;

/** What one write costs by the bare driver on the same server: the measure of what is waited for over the wire. */
async function insertMs(setup: Setup): Promise<number> {
  const store = await BareStore.open(setup);
  const times: number[] = [];
  for (let turn = 0; turn < INSERTS; turn++) {
    const begun = performance.now();
    await store.collection('bench_inserts').insertOne({ _id: `run:${turn}`, ev: ['x'.repeat(300)] });
    times.push(performance.now() - begun);
  }
  await store.close();
  return median(times);
}

async function measureStore(rig: Rig, store: Setup['store'], note: (rows: Row[]) => void): Promise<void> {
  const { only } = rig.options;
  const setup = rig.setup(store);
  let target: Target | undefined;
  const server = async (): Promise<Target> => (target ??= await startScorpio(setup));
  if (store === 'embedded' && only.includes('start')) note(await measureStart(rig));
  if (only.includes('first')) note(await measureFirst(rig, await server()));
  if (only.includes('turns')) note(await measureTurns(rig, await server()));
  if (only.includes('burst')) note(await measureBurst(rig, await server()));
  if (only.includes('paced'))
    note(await measurePaced(rig, await server(), store === 'wire' ? await insertMs(setup) : undefined));
  if (only.includes('tools')) note(await measureTools(rig, await server()));
  await target?.child.stop();
  if (store === 'embedded' && only.includes('files')) note(await measureFileSearch(rig));
  if (store === 'embedded' && only.includes('mcp')) note(await measureMcpCalls());
  if (store === 'embedded' && only.includes('hold')) note(await measureHold(rig));
  if (only.includes('replay')) note(await measureReplay(rig, store));
  if (only.includes('lists')) note(await measureLists(rig, store));
  if (only.includes('commands')) note(await measureCommands(rig, store));
}

async function measure(rig: Rig, options: Options): Promise<Row[]> {
  const rows: Row[] = [];
  const notes = [`Load before the run: ${load()}`];
  for (const store of options.stores) {
    if (store === 'wire' && !process.env.MONGODB_TEST_URL) {
      console.log('Skipped: the wire (needs MONGODB_TEST_URL).');
      notes.push('Without the wire (needs MONGODB_TEST_URL).');
      continue;
    }
    await measureStore(rig, store, (more) => {
      rows.push(...more);
      for (const row of more)
        console.log(`${row.measure} (${row.store}): ${row.value}, score ${row.score.mid.toFixed(2)}`);
    });
  }
  console.log(`\n${machine()}; ${notes.join('; ')}\n\n${table(rows)}\n`);
  const command = ['npm run bench', ...process.argv.slice(2)].join(' -- ');
  if (options.write) writeReport(rows, { command, notes });
  return rows;
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  const rig = await Rig.start(options);
  try {
    if (options.profile !== undefined) {
      console.log(await profile(rig, options.profile, options.stores[0]));
      return;
    }
    const wrong = (await measure(rig, options)).filter(breached);
    for (const { measure, store, score, goal } of wrong)
      console.log(`Beyond the guard: ${measure} (${store}), ${score.mid.toFixed(2)}; the goal is ${goal}.`);
    if (options.short && wrong.length) process.exitCode = 1;
  } finally {
    await rig.close();
    await stopAll();
    removeFolders();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
