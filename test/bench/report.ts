import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './child';
import type { Spread } from './statistics';

/** One line of the table. */
export interface Row {
  measure: string;
  store: string;
  /** Ours, as people read it. */
  value: string;
  /** The yardstick, likewise; absent where the goal is a plain figure. */
  base?: string;
  /** What is held against the goal, over the repetitions: ours / yardstick, or a plain figure. */
  score: Spread;
  /** `×` for a ratio, which is the usual, or the unit of the figure. */
  unit?: string;
  /** The bare Nest handler's ratio. */
  nest?: number;
  /** Most that `score` should be. */
  goal?: number;
}

/** How far beyond its goal a measure may be before the guard says no: machines and their neighbours differ. */
const GUARD = 1.3;

const met = ({ goal, score }: Row): string => (goal === undefined ? '' : score.mid <= goal ? 'yes' : 'no');
export const breached = ({ goal, score }: Row): boolean => goal !== undefined && !(score.mid <= goal * GUARD);

const figure = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const figured = (value: number, unit: string): string =>
  unit === '×' ? `${figure(value)} ×` : `${figure(value)} ${unit}`;

const COLUMNS = ['Measure', 'Store', 'Scorpio', 'Yardstick', 'Score', 'Low to high', 'Bare Nest', 'Goal', 'Met'];

function cells(row: Row): string[] {
  const unit = row.unit ?? '×';
  return [
    row.measure,
    row.store,
    row.value,
    row.base ?? '',
    figured(row.score.mid, unit),
    `${figure(row.score.low)} to ${figure(row.score.high)}`,
    row.nest === undefined ? '' : figured(row.nest, '×'),
    row.goal === undefined ? '' : `≤ ${row.goal} ${unit}`,
    met(row),
  ];
}

export function table(rows: Row[]): string {
  const lines = [COLUMNS, ...rows.map(cells)];
  const widths = COLUMNS.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const print = (line: string[]) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [print(lines[0]), print(widths.map((width) => '-'.repeat(width))), ...lines.slice(1).map(print)].join('\n');
}

export function machine(): string {
  const [{ model }] = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${model.trim()}, ${memory} GB, ${process.platform} ${release()}, Node ${process.version}`;
}

export const load = (): string => loadavg()[0].toFixed(2);

const BEGIN = '<!-- measured: npm run bench -- --write -->';
const END = '<!-- /measured -->';

/** Puts the tables between the marks of docs/performance.md. */
export function writeReport(rows: Row[], { command, notes }: { command: string; notes: string[] }): void {
  const file = join(ROOT, 'docs/performance.md');
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/performance.md has not the marks ${BEGIN} and ${END}.`);
  const facts = [
    `- Command: \`${command}\``,
    `- Machine: ${machine()}`,
    `- Date: ${new Date().toISOString().slice(0, 10)}`,
    ...notes.map((note) => `- ${note}`),
  ].join('\n');
  writeFileSync(file, `${text.slice(0, from)}${BEGIN}\n\n${facts}\n\n${table(rows)}\n\n${text.slice(to)}`);
}
