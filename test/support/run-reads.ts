import type { RunEvent, RunEventOf, RunEventType } from '@scorpio/events';
import type { RunRead } from './sse-reader';

/** The types of the events in their order; how a text was cut into deltas does not show. */
export const typesOf = ({ events }: RunRead): string[] =>
  events.map(({ type }) => type).filter((type, index, all) => type !== 'part.delta' || all[index - 1] !== type);

/** The run's events; of one type, where one is named. */
export function eventsOf({ events }: RunRead): RunEvent[];
export function eventsOf<T extends RunEventType>({ events }: RunRead, type: T): RunEventOf<T>[];
export function eventsOf({ events }: RunRead, type?: RunEventType): RunEvent[] {
  const all = events.map(({ event }) => event);
  return type === undefined ? all : all.filter((event) => event.type === type);
}

/** The session that the first connection named. */
export const sessionOf = ({ connections }: RunRead): string => String(connections[0]!.headers['x-session-id']);

/** All text of the answer, whatever its kind. */
export const textOf = (read: RunRead): string =>
  eventsOf(read, 'part.delta')
    .map(({ text }) => text)
    .join('');
