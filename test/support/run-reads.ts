import type { RunEventOf, RunEventType } from '@scorpio/events';
import type { RunRead } from './sse-reader';

/** The types of the events in their order; how a text was cut into deltas does not show. */
export const typesOf = ({ events }: RunRead): string[] =>
  events.map(({ type }) => type).filter((type, index, all) => type !== 'part.delta' || all[index - 1] !== type);

/** The events of one type. */
export const eventsOf = <T extends RunEventType>({ events }: RunRead, type: T): RunEventOf<T>[] =>
  events.filter((received) => received.type === type).map(({ event }) => event as RunEventOf<T>);

/** The session that the first connection named. */
export const sessionOf = ({ connections }: RunRead): string => String(connections[0]!.headers['x-session-id']);

/** All text of the answer, whatever its kind. */
export const textOf = (read: RunRead): string =>
  eventsOf(read, 'part.delta')
    .map(({ text }) => text)
    .join('');
