import type { RunEvent } from '@scorpio/events';
import { BareStore } from './seed';
import { startScorpio, type Setup } from './targets';
import type { Rig } from './rig';
import type { Row } from './report';
import { median, spread } from './statistics';

const EVENTS = 10_000;
const BATCH = 20;

/** Makes the log of a finished run ten thousand events long, in batches as they come from a paced stream. */
async function lengthen(setup: Setup, runId: string): Promise<void> {
  const store = await BareStore.open(setup);
  const log = store.collection('run_events');
  const range = { _id: { $gte: `${runId}:`, $lt: `${runId};` } };
  const batches = await log.find(range, { sort: { _id: 1 } }).toArray();
  const events = batches.flatMap((batch) => (batch.ev as string[]).map((text) => JSON.parse(text) as RunEvent));
  const from = events.findIndex(({ type }) => type === 'part.delta');
  const to = events.findLastIndex(({ type }) => type === 'part.delta');
  const tail = events.slice(to + 1);
  const deltas = Array.from({ length: EVENTS - from - tail.length }, (_, index) => ({
    ...events[from],
    offset: index * 7,
    text: 't00001 ',
  }));
  const long = [...events.slice(0, from), ...deltas, ...tail].map((event, index) => ({ ...event, seq: index + 1 }));
  await log.deleteMany(range);
  for (let first = 0; first < EVENTS; first += BATCH) {
    const page = long.slice(first, first + BATCH);
    await log.insertOne({
      ...batches[0],
      _id: `${runId}:${String(first + 1).padStart(9, '0')}`,
      s: first + 1,
      t: first + page.length,
      ty: page.map(({ type }) => type),
      ev: page.map((event) => JSON.stringify(event)),
    });
  }
  await store.close();
}

/** A server with one finished run of ten thousand events. */
export async function longRun(rig: Rig, storeName: Setup['store']): Promise<{ setup: Setup; runId: string }> {
  const setup = rig.setup(storeName);
  const target = await startScorpio(setup);
  await rig.run({ ...target.load, model: 'burst-500', tokens: 500, clients: 1, turns: 1, conversations: 1 });
  await target.child.stop();
  const store = await BareStore.open(setup);
  const run = await store.collection('runs').findOne({});
  await store.close();
  await lengthen(setup, run!._id);
  return { setup, runId: run!._id };
}

export async function measureReplay(rig: Rig, storeName: Setup['store']): Promise<Row[]> {
  const { setup, runId } = await longRun(rig, storeName);
  const target = await startScorpio(setup);
  const url = `${target.url}/api/v1/runs/${runId}/events`;
  const whole = () => rig.get({ url, key: setup.key, after: 0 });
  const half = () => rig.get({ url, key: setup.key, after: EVENTS / 2, lastEventId: `${runId}:${EVENTS / 2}` });
  const { bytes } = await whole();
  const memory = () => rig.get({ url: `${rig.pipe.url}/bytes/${bytes}` });
  for (let warm = 0; warm < 5; warm++) await Promise.all([whole(), half(), memory()]);
  const totals: number[] = [];
  const firsts: number[] = [];
  const base: number[] = [];
  const cpu: number[] = [];
  for (let round = 0; round < rig.options.rounds; round++) {
    const before = await target.child.usage();
    for (let turn = 0; turn < rig.options.replays; turn++) {
      const { total, events } = await whole();
      if (events !== EVENTS) throw new Error(`${events} of ${EVENTS} events came.`);
      totals.push(total);
    }
    cpu.push(((await target.child.usage()).cpu - before.cpu) / rig.options.replays / EVENTS);
    for (let turn = 0; turn < rig.options.replays; turn++) {
      firsts.push((await half()).first);
      base.push((await memory()).total);
    }
  }
  await target.child.stop();
  const plain = (measure: string, values: number[], unit: string, goal: number): Row => ({
    measure,
    store: storeName,
    value: `${median(values).toPrecision(3)} ${unit}`,
    score: spread(values),
    unit,
    goal: storeName === 'embedded' ? goal : undefined,
  });
  return [
    { ...plain('7 Replay of 10,000 events', totals, 'ms', 25), base: `${median(base).toFixed(1)} ms out of memory` },
    plain('7 CPU per replayed event', cpu, 'µs', 2),
    plain('7 First event after Last-Event-ID', firsts, 'ms', 5),
  ];
}
