import { isTerminal, type RunEvent } from '@scorpio/events';
import type { LogBatch } from '../../../apps/api/src/runs/run-event.schema';
import type { RunRecord } from '../../../apps/api/src/runs/run.schema';
import type { Received, SimClient } from './sim-client';

/** What is wrong with a run after everything that can happen to it has. */
export function verdict(log: LogBatch[], run: RunRecord | null, clients: SimClient[], effects: number): string[] {
  const events = log.flatMap(({ s, ty, ev }) => ev.map((data, at): Received => ({ seq: s + at, type: ty[at], data })));
  const terminals = events.filter(({ type }) => isTerminal(type));
  const wrong: string[] = [];
  const demand = (holds: boolean, otherwise: string): void => void (holds || wrong.push(otherwise));

  demand(
    events.every(({ seq }, index) => seq === index + 1),
    'the places are not dense',
  );
  demand(
    events.every(({ seq, type, data }) => {
      const event = JSON.parse(data) as RunEvent;
      return event.seq === seq && event.type === type && event.runId === run?.id;
    }),
    'an event is not what its place says',
  );
  demand(terminals.length > 0, 'there is no terminal event');
  demand(terminals.length < 2, 'there are two terminal events');
  demand(!terminals.length || isTerminal(events.at(-1)!.type), 'events follow the terminal event');
  demand(
    log.every(({ e }, index) => e >= (log[index - 1]?.e ?? 0)),
    'an old owner wrote behind the fence of a later one',
  );
  demand(`run.${run?.status}` === terminals[0]?.type && !run?.activeKey, 'the run does not say what its log says');
  demand(effects <= 1, 'the side effect happened twice');
  for (const client of clients) wrong.push(...faultsOf(client, events));
  return [...new Set(wrong)];
}

/** A client must have got the whole log, in its order, byte for byte. */
function faultsOf({ ended, got }: SimClient, events: Received[]): string[] {
  if (!ended) return ['a client never saw the end'];
  if (got.some(({ seq }, index) => seq !== index + 1)) return ['a client lost events or got them twice'];
  const same = got.every(({ seq, type, data }, at) => events[at]?.data === data && events[at].type === type && seq > 0);
  return same ? [] : ['a client saw what is not in the log'];
}
