import { createHash } from 'node:crypto';
import type { RunEvent } from '@scorpio/events';
import { everySeqOnce, fold, oneTerminal, sameBytes, saysAsStored } from './oracles';
import { ReceivedEvent, type RunRead } from './sse-reader';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const LOG = [
  { type: 'run.created' },
  { type: 'step.started', step: 1, attempt: 1 },
  { type: 'part.started', step: 1, part: 1, kind: 'text' },
  { type: 'part.delta', part: 1, offset: 0, text: 'Dropp' },
  { type: 'step.reset', step: 1, attempt: 1 },
  { type: 'step.started', step: 1, attempt: 2 },
  { type: 'part.started', step: 1, part: 2, kind: 'reasoning' },
  { type: 'part.delta', part: 2, offset: 0, text: 'Hm.' },
  { type: 'part.completed', part: 2, chars: 3, sha256: sha256('Hm.') },
  { type: 'part.started', step: 1, part: 3, kind: 'text' },
  { type: 'part.delta', part: 3, offset: 0, text: 'Hel' },
  { type: 'part.delta', part: 3, offset: 3, text: 'lo' },
  { type: 'part.completed', part: 3, chars: 5, sha256: sha256('Hello') },
  { type: 'step.completed', step: 1 },
  { type: 'run.completed', messages: ['1', '2'] },
].map((event, index) => ({
  v: 1,
  runId: 'run_1',
  seq: index + 1,
  ts: '2026-01-01T00:00:00Z',
  ...event,
})) as unknown as RunEvent[];
const STORED = [
  { id: '1', runId: 'run_1', role: 'user', parts: [{ type: 'text', text: 'Hi' }] },
  {
    id: '2',
    runId: 'run_1',
    role: 'assistant',
    parts: [
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Hello' },
    ],
  },
];

const received = (events: RunEvent[]): ReceivedEvent[] =>
  events.map((event) => new ReceivedEvent(event.seq, event.type, JSON.stringify(event)));
const readOf = (events: RunEvent[], faults: string[] = []): RunRead => ({
  runId: 'run_1',
  events: received(events),
  faults,
  connections: [],
  heartbeats: 0,
  byes: [],
});
const without = (seq: number): RunEvent[] => LOG.filter((event) => event.seq !== seq);
const changed = (seq: number, over: object): RunEvent[] =>
  LOG.map((event) => (event.seq === seq ? { ...event, ...over } : event));

describe('the oracles', () => {
  it('accept a run as it should be', () => {
    everySeqOnce(readOf(LOG));
    sameBytes(received(LOG), received(LOG));
    saysAsStored(LOG, STORED, ['Hello']);
    oneTerminal(received(LOG), 'completed');
    expect(fold(LOG)).toEqual([{ step: 1, text: 'Hello', reasoning: 'Hm.', calls: {} }]);
  });

  it.each<[string, () => void]>([
    ['O1 a gap', () => everySeqOnce(readOf(without(4)))],
    ['O1 a repeat', () => everySeqOnce(readOf([...LOG.slice(0, 5), LOG[4], ...LOG.slice(5)]))],
    ['O1 a start after 1', () => everySeqOnce(readOf(without(1)))],
    ['O1 a fault on the wire', () => everySeqOnce(readOf(LOG, ['bytes that are not UTF-8']))],
    ['O2 another byte', () => sameBytes(received(LOG), received(changed(4, { text: 'dropp' })))],
    ['O2 a missing event', () => sameBytes(received(LOG), received(without(4)))],
    ['O3 a text other than stored', () => saysAsStored(LOG, [STORED[0], { ...STORED[1], parts: [] }])],
    ['O3 a text other than scripted', () => saysAsStored(LOG, STORED, ['Hello!'])],
    ['O3 a message stored twice', () => saysAsStored(LOG, [...STORED, STORED[1]])],
    ['O3 a question stored twice', () => saysAsStored(LOG, [STORED[0], { ...STORED[0], id: '1b' }, STORED[1]])],
    ['O3 a lost delta', () => fold(without(11))],
    ['O3 a wrong hash', () => fold(changed(13, { sha256: sha256('hello') }))],
    ['O3 a text of a step that was reset', () => fold(changed(11, { part: 1 }))],
    ['O4 no terminal event', () => oneTerminal(received(without(15)), 'completed')],
    ['O4 two terminal events', () => oneTerminal(received(changed(14, { type: 'run.failed' })), 'completed')],
    ['O4 something after it', () => oneTerminal(received([...LOG, { ...LOG[0], seq: 16 }]), 'completed')],
    ['O4 another status', () => oneTerminal(received(LOG), 'failed')],
  ])('refuse %s', (_name, check) => {
    expect(check).toThrow();
  });
});
