import type { Rig } from './rig';
import { BareStore, fill, type Stored } from './seed';
import { startScorpio, type Setup, type Target } from './targets';
import type { Row } from './report';
import { median, percentile, spread } from './statistics';

const PAGE = 20;
const FAR = 1000;
const SMALL = 10_000;
const LONG = 10_000;
const DAY = 86_400_000;

const sessionId = (index: number): string => `ses_01BENCH${String(index).padStart(19, '0')}`;
const messageId = (session: string, turn: number, k: number): string =>
  `${session}:${String(turn).padStart(6, '0')}:0001:${k}`;
/** The session with the long conversation, and one with ten messages. */
const LONG_SESSION = sessionId(0);
const SHORT_SESSION = sessionId(1);
/** The messages of the long session come first, then ten for each of the others. */
const placeOf = (index: number): { session: string; turn: number; k: number } =>
  index < LONG
    ? { session: LONG_SESSION, turn: 1 + (index >> 1), k: index & 1 }
    : { session: sessionId(1 + Math.floor((index - LONG) / 10)), turn: 1 + ((index % 10) >> 1), k: index & 1 };

/** A server with that many sessions of one owner and as many messages and a long conversation. */
export async function crowded(rig: Rig, store: Setup['store'], sessions: number): Promise<Setup> {
  const setup = rig.setup(store);
  const target = await startScorpio(setup);
  await rig.run({ ...target.load, model: 'burst-8', tokens: 8, clients: 1, turns: 1, conversations: 1 });
  await target.child.stop();
  const bare = await BareStore.open(setup);
  const session = (await bare.collection('sessions').findOne({})) as Stored;
  const [user, model] = await bare
    .collection('messages')
    .find({}, { sort: { _id: 1 } })
    .toArray();
  await bare.close();
  const begun = Date.now() - DAY;
  await fill(setup, 'sessions', session, sessions, (index) => {
    const turns = index === 0 ? LONG / 2 : 5;
    return { _id: sessionId(index), updatedAt: new Date(begun + index * 10), turns, settledTurn: turns };
  });
  const half = (k: 0 | 1, template: Stored) =>
    fill(setup, 'messages', template, (sessions + LONG) / 2, (index) => {
      const place = placeOf(index * 2 + k);
      return { _id: messageId(place.session, place.turn, place.k), sessionId: place.session };
    });
  await half(0, user as Stored);
  await half(1, model as Stored);
  return setup;
}

interface Reads {
  ours: number[];
  bare: number[];
}

/** Our route and the bare store call in turns. */
async function both(rig: Rig, url: string, key: string, bare: () => Promise<unknown>): Promise<Reads> {
  const reads: Reads = { ours: [], bare: [] };
  for (let turn = -20; turn < rig.options.reads; turn++) {
    const { total } = await rig.get({ url, key });
    const begun = performance.now();
    await bare();
    const took = performance.now() - begun;
    if (turn < 0) continue;
    reads.ours.push(total);
    reads.bare.push(took);
  }
  return reads;
}

/** The cursor of a page far back. */
async function farPage(url: string, key: string, page: number): Promise<string> {
  let cursor = '';
  for (let at = 1; at < page; at++) {
    const answer = await fetch(`${url}${cursor && `&cursor=${cursor}`}`, {
      headers: { authorization: `Bearer ${key}` },
    });
    const { nextCursor } = (await answer.json()) as { nextCursor: string | null };
    if (nextCursor === null) throw new Error(`The list ends at page ${at}.`);
    cursor = encodeURIComponent(nextCursor);
  }
  return cursor;
}

async function readLists(rig: Rig, setup: Setup, target: Target): Promise<{ list: Reads; history: Reads }> {
  const store = await BareStore.open(setup);
  const [{ tenantId, ownerId }] = await store.collection('sessions').find({}, { limit: 1 }).toArray();
  const owner = { tenantId, ownerId } as { tenantId: string; ownerId: string };
  const newest = () =>
    store
      .collection('sessions')
      .find({ ...owner, deletedAt: { $exists: false } }, { sort: { updatedAt: -1, _id: -1 }, limit: PAGE + 1 })
      .toArray();
  const last = () =>
    store
      .collection('messages')
      .find(
        { _id: { $gte: `${LONG_SESSION}:`, $lt: `${LONG_SESSION};` }, ...owner },
        { sort: { _id: -1 }, limit: PAGE + 1 },
      )
      .toArray();
  const sessions = `${target.url}/api/v1/sessions?limit=${PAGE}`;
  const list = await both(rig, sessions, setup.key, newest);
  const history = await both(
    rig,
    `${target.url}/api/v1/sessions/${LONG_SESSION}/messages?limit=${PAGE}`,
    setup.key,
    last,
  );
  await store.close();
  return { list, history };
}

/** First tokens of messages to these sessions, in milliseconds. */
async function firstTokens(rig: Rig, target: Target, session: string): Promise<number> {
  const load = { ...target.load, model: 'burst-8', tokens: 8, clients: 1, turns: 5, conversations: 1 };
  return (await rig.run({ ...load, sessions: [session] })).firstP50;
}

/** The medians of tenths, so that there is a spread to show. */
function tenths(reads: number[], base: number[], share: number) {
  const size = Math.ceil(reads.length / 10);
  const part = (values: number[], index: number) => percentile(values.slice(index * size, (index + 1) * size), share);
  return spread(Array.from({ length: 10 }, (_, index) => part(reads, index) / part(base, index)));
}

export async function measureLists(rig: Rig, storeName: Setup['store']): Promise<Row[]> {
  const sessions = storeName === 'wire' ? Math.min(SMALL, rig.options.sessions) : rig.options.sessions;
  const setup = await crowded(rig, storeName, sessions);
  const target = await startScorpio(setup);
  const { list, history } = await readLists(rig, setup, target);
  const store = storeName;
  const against = (measure: string, { ours, bare }: Reads): Row => ({
    measure,
    store,
    value: `${median(ours).toFixed(2)} ms`,
    base: `${median(bare).toFixed(2)} ms bare call`,
    score: tenths(ours, bare, 0.5),
    goal: 2.5,
  });
  const rows = [
    against(`8 List of ${sessions.toLocaleString('en')} sessions, p50`, list),
    against('8 History page of 10,000 messages, p50', history),
  ];
  if (store === 'embedded') rows.push(...(await furtherRows(rig, target, list)));
  await target.child.stop();
  return rows;
}

async function furtherRows(rig: Rig, target: Target, list: Reads): Promise<Row[]> {
  const nothing = async () => undefined;
  const first = `${target.url}/api/v1/sessions?limit=${PAGE}`;
  const { key = '' } = target.load;
  const cursor = await farPage(first, key, Math.min(FAR, Math.floor(rig.options.sessions / PAGE)));
  const far = await both(rig, `${first}&cursor=${cursor}`, key, nothing);
  const setup = await crowded(rig, 'embedded', SMALL);
  const small = await startScorpio(setup);
  const few = await both(rig, `${small.url}/api/v1/sessions?limit=${PAGE}`, setup.key, nothing);
  await small.child.stop();
  const ratio = (measure: string, ours: number[], base: number[], share: number, goal: number): Row => ({
    measure,
    store: 'embedded',
    value: `${percentile(ours, share).toFixed(2)} ms`,
    base: `${percentile(base, share).toFixed(2)} ms`,
    score: { ...tenths(ours, base, share), mid: percentile(ours, share) / percentile(base, share) },
    goal,
  });
  const withLong: number[] = [];
  const withShort: number[] = [];
  for (let round = 0; round < rig.options.rounds; round++) {
    withShort.push(await firstTokens(rig, target, SHORT_SESSION));
    withLong.push(await firstTokens(rig, target, LONG_SESSION));
  }
  return [
    ratio('8 List, p99, against 10,000 sessions', list.ours, few.ours, 0.99, 1.5),
    ratio('8 List, page 1,000 against page 1, p50', far.ours, list.ours, 0.5, 1.2),
    {
      ...ratio('8 First token, 10,000 messages against 10', withLong, withShort, 0.5, 1.5),
      score: spread(withLong.map((value, index) => value / withShort[index])),
    },
  ];
}
