import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { transformSync } from '@swc/core';
import type { EventLog } from '../../../apps/api/src/runs/event-log.repository';
import type { InteractionRepository } from '../../../apps/api/src/runs/interaction.repository';
import type { LogFlusher } from '../../../apps/api/src/runs/log-flusher';
import type { RunCancellation } from '../../../apps/api/src/runs/run-cancellation.service';
import type { RunExecution } from '../../../apps/api/src/runs/run-execution.service';
import type { RunFinisher } from '../../../apps/api/src/runs/run-finisher.service';
import type { RunHandlers } from '../../../apps/api/src/runs/run-handler';
import type { RunInbox } from '../../../apps/api/src/runs/run-inbox.service';
import type { RunJournals } from '../../../apps/api/src/runs/run-journals.service';
import type { RunLeases } from '../../../apps/api/src/runs/run-lease.service';
import type { RunStarter } from '../../../apps/api/src/runs/run-starter.service';
import type { RunStreams } from '../../../apps/api/src/runs/run-stream.service';
import type { RunWorker } from '../../../apps/api/src/runs/run-worker.service';
import type { RunRepository } from '../../../apps/api/src/runs/run.repository';
import type { WorkerRepository } from '../../../apps/api/src/runs/worker.repository';

/** The classes of the room `runs`, as they are or with a fault planted in their source. */
export interface RunsRoom {
  EventLog: typeof EventLog;
  InteractionRepository: typeof InteractionRepository;
  LogFlusher: typeof LogFlusher;
  RunCancellation: typeof RunCancellation;
  RunExecution: typeof RunExecution;
  RunFinisher: typeof RunFinisher;
  RunHandlers: typeof RunHandlers;
  RunInbox: typeof RunInbox;
  RunJournals: typeof RunJournals;
  RunLeases: typeof RunLeases;
  RunRepository: typeof RunRepository;
  RunStarter: typeof RunStarter;
  RunStreams: typeof RunStreams;
  RunWorker: typeof RunWorker;
  WorkerRepository: typeof WorkerRepository;
}

/** A change of one place in one file of the room. */
export interface Plant {
  file: string;
  find: string;
  replace: string;
}

const ROOT = resolve(__dirname, '../../..');
const FOLDER = join(ROOT, 'apps/api/src/runs');
const FILES = [
  'event-log.repository',
  'interaction.repository',
  'log-flusher',
  'run-cancellation.service',
  'run-execution.service',
  'run-finisher.service',
  'run-handler',
  'run-inbox.service',
  'run-journals.service',
  'run-lease.service',
  'run-starter.service',
  'run-stream.service',
  'run-worker.service',
  'run.repository',
  'worker.repository',
];
const here = createRequire(__filename);

/** The room as it is, or a copy of it compiled with these changes. @throws when a change does not fit exactly once */
export function runsRoom(plants: Plant[] = []): RunsRoom {
  const load = plants.length ? patchedLoader(plants) : (path: string): unknown => here(path);
  return Object.assign({}, ...FILES.map((file) => load(join(FOLDER, `${file}.ts`)))) as RunsRoom;
}

/** Loads files of the room from their changed source, and everything else as usual. */
function patchedLoader(plants: Plant[]): (path: string) => unknown {
  const config = here(join(ROOT, 'jest.config.cjs')) as { projects: { transform: Record<string, [string, object]> }[] };
  const [, options] = config.projects[0].transform['^.+\\.ts$'];
  const loaded = new Map<string, { exports: unknown }>();
  const load = (path: string): unknown => {
    const known = loaded.get(path);
    if (known) return known.exports;
    const module = { exports: {} };
    loaded.set(path, module);
    const source = planted(path, plants);
    const { code } = transformSync(source, { ...options, filename: path, swcrc: false, sourceMaps: false });
    const outside = createRequire(path);
    const inside = (name: string): unknown =>
      name.startsWith('./') ? load(join(FOLDER, `${name}.ts`)) : (outside(name) as unknown);
    // In this realm, whose timers the simulation drives; `vm` would compile for another one.
    // eslint-disable-next-line @typescript-eslint/no-implied-eval
    (new Function('require', 'module', 'exports', code) as (...args: unknown[]) => void)(
      inside,
      module,
      module.exports,
    );
    return module.exports;
  };
  for (const { file } of plants) load(join(FOLDER, file));
  return load;
}

function planted(path: string, plants: Plant[]): string {
  let source = readFileSync(path, 'utf8');
  for (const { file, find, replace } of plants) {
    if (join(FOLDER, file) !== path) continue;
    const found = source.split(find).length - 1;
    if (found !== 1) throw new Error(`The fault fits ${found} places of ${file}, not one: ${find}`);
    source = source.replace(find, () => replace);
  }
  return source;
}
