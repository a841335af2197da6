import { parseArgs } from 'node:util';

const HELP = `npm run bench -- [options]

  --short          few repetitions and small sizes, to guard against going back: ends with 1 where a measure is more
                   than 1.3 times its goal
  --write          writes the tables into docs/performance.md
  --only=a,b       only these measures: start, first, turns, burst, paced, tools, hold, replay, lists, commands,
                   files, mcp
  --store=a,b      only these stores: embedded, wire (needs MONGODB_TEST_URL)
  --sessions=n     sessions of the list (1000000; over the wire at most 10000)
  --streams=n      open streams of hold (1000)
  --rounds=n       repetitions
  --profile=a      runs the scenario a (first, turns, burst, paced, tools, replay, list) alone, and says where the
                   server's CPU went
`;

export const MEASURES = [
  'start',
  'first',
  'turns',
  'burst',
  'paced',
  'tools',
  'hold',
  'replay',
  'lists',
  'commands',
  'files',
  'mcp',
] as const;
export type Measure = (typeof MEASURES)[number];

/** How much is measured. */
export interface Options {
  short: boolean;
  write: boolean;
  only: Measure[];
  stores: ('embedded' | 'wire')[];
  profile?: string;
  rounds: number;
  sessions: number;
  streams: number;
  /** Messages of the one client of `first`. */
  firsts: number;
  /** Messages of each of the 32 clients of `turns`. */
  turns: number;
  /** Messages of each of the 16 clients of `burst`. */
  bursts: number;
  /** Tokens of each stream of `paced`, 50 a second; all but the first 2.5 seconds count. */
  pacedTokens: number;
  replays: number;
  reads: number;
}

const SIZES = {
  full: { rounds: 7, sessions: 1_000_000, streams: 1000, firsts: 150, turns: 20, bursts: 8, pacedTokens: 425 },
  short: { rounds: 3, sessions: 20_000, streams: 300, firsts: 50, turns: 8, bursts: 4, pacedTokens: 275 },
};

export function readOptions(args: string[]): Options {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args,
    options: {
      help: flag,
      short: flag,
      write: flag,
      only: text,
      store: text,
      sessions: text,
      streams: text,
      rounds: text,
      profile: text,
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit();
  }
  const sizes = SIZES[values.short ? 'short' : 'full'];
  const number = (given: string | undefined, otherwise: number): number =>
    given === undefined ? otherwise : Number(given);
  return {
    short: values.short,
    write: values.write,
    only: among(values.only, MEASURES),
    stores: among(values.store, ['embedded', 'wire']),
    profile: values.profile,
    ...sizes,
    rounds: number(values.rounds, sizes.rounds),
    sessions: number(values.sessions, sizes.sessions),
    streams: number(values.streams, sizes.streams),
    replays: 5,
    reads: values.short ? 100 : 400,
  };
}

function among<T extends string>(given: string | undefined, known: readonly T[]): T[] {
  if (given === undefined) return [...known];
  const wrong = given.split(',').filter((name) => !known.includes(name as T));
  if (wrong.length) throw new Error(`Not known: ${wrong.join(', ')}; there are ${known.join(', ')}.`);
  return given.split(',') as T[];
}
