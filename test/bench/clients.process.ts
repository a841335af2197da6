import { Agent, request, type IncomingMessage } from 'node:http';
import { answers } from './answers';
import { WORDS } from './material';
import { percentile } from './statistics';

/** What a number of clients shall do at one server. */
export interface Load {
  url: string;
  /** `relay`: the vendor's own body; `scorpio`: a chat message. */
  style: 'relay' | 'scorpio';
  key?: string;
  model: string;
  /** Tokens of one answer; each must arrive once and in order. */
  tokens: number;
  clients: number;
  /** Messages of each client, one after the other. */
  turns: number;
  /** Conversations of each client, taken in turn, so that no message meets the end of the run before it. */
  conversations: number;
  /** Conversations that are there already, for one client. */
  sessions?: string[];
  /** The first and the last token of an answer that are no part of its beginning or its end; all where absent. */
  steady?: [first: number, last: number];
  /** The streams stay open until the clients are told to leave. */
  open?: boolean;
}

export interface LoadOutcome {
  /** Milliseconds from the request to its first token. */
  firstP50: number;
  firstP99: number;
  /** Likewise to the end of its stream. */
  turnP50: number;
  /** Milliseconds from the model server to the client, where tokens are stamped: of the steady ones, and of all. */
  delayP50: number;
  delayP99: number;
  allDelaysP99: number;
  tokens: number;
  turns: number;
  seconds: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity });
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

let received = 0;
/** Streams that stay open after their load. */
const opened: IncomingMessage[] = [];

class Turn {
  first = 0;
  tokens = 0;
  readonly delays: number[] = [];
  private rest = '';

  /** @throws where a token is missing, repeated or out of order */
  take(chunk: Buffer): void {
    const at = now();
    const text = this.rest + chunk.toString('latin1');
    const token = /t(\d{5})(?:@([\d.]{10}))? /g;
    let end = 0;
    for (let match = token.exec(text); match; match = token.exec(text)) {
      this.tokens += 1;
      received += 1;
      if (this.tokens === 1) this.first = at;
      if (Number(match[1]) !== this.tokens) throw new Error(`Token ${match[1]} came as the ${this.tokens}th.`);
      if (match[2]) this.delays.push((at % 1e7) - Number(match[2]));
      end = token.lastIndex;
    }
    this.rest = text.slice(Math.max(end, text.length - 20));
  }
}

function send(load: Load, sessionId: string | undefined): Promise<IncomingMessage> {
  const { url, style, model, key } = load;
  const body =
    style === 'relay'
      ? { model, stream: true, messages: [{ role: 'user', content: WORDS }] }
      : { model: `bench/${model}`, message: WORDS, ...(sessionId && { sessionId }) };
  const text = JSON.stringify(body);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    accept: 'text/event-stream',
    ...(key && { authorization: `Bearer ${key}` }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent, headers }, resolve);
    outgoing.once('error', reject);
    outgoing.end(text);
  });
}

async function run(load: Load): Promise<LoadOutcome> {
  const firsts: number[] = [];
  const ends: number[] = [];
  const [from, to] = load.steady ?? [1, Infinity];
  const delays: number[] = [];
  const steady: number[] = [];
  let tokens = 0;
  const start = now();
  const client = async (): Promise<void> => {
    const sessions = [...(load.sessions ?? [])];
    for (let turn = 0; turn < load.turns; turn++) {
      const begun = now();
      const response = await send(load, sessions[turn % load.conversations]);
      if (response.statusCode !== 200) throw new Error(`${response.statusCode} ${(await response.toArray()).join('')}`);
      sessions[turn % load.conversations] = String(response.headers['x-session-id'] ?? '');
      const state = new Turn();
      await new Promise<void>((resolve, reject) => {
        response.on('data', (chunk: Buffer) => {
          try {
            state.take(chunk);
          } catch (error) {
            response.destroy(error as Error);
          }
          if (load.open && state.tokens === load.tokens) resolve();
        });
        response.once('end', resolve);
        response.once('error', reject);
      });
      if (load.open) opened.push(response);
      if (state.tokens !== load.tokens) throw new Error(`${state.tokens} of ${load.tokens} tokens came.`);
      firsts.push(state.first - begun);
      ends.push(now() - begun);
      state.delays.forEach((delay, index) => {
        delays.push(delay);
        if (index + 1 >= from && index + 1 <= to) steady.push(delay);
      });
      tokens += state.tokens;
    }
  };
  await Promise.all(Array.from({ length: load.clients }, client));
  const seconds = (now() - start) / 1000;
  return {
    firstP50: percentile(firsts, 0.5),
    firstP99: percentile(firsts, 0.99),
    turnP50: percentile(ends, 0.5),
    delayP50: percentile(steady, 0.5),
    delayP99: percentile(steady, 0.99),
    allDelaysP99: percentile(delays, 0.99),
    tokens,
    turns: firsts.length,
    seconds,
  };
}

export interface Fetched {
  /** Milliseconds until the first byte of the body, and until its end. */
  first: number;
  total: number;
  bytes: number;
  /** Events of a stream, dense from the one after `after`; 0 for any other body. */
  events: number;
}

interface Fetch {
  url: string;
  key?: string;
  lastEventId?: string;
  /** Sequence number that the first event follows; undefined for what is no stream. */
  after?: number;
}

/** Reads one answer to its end. */
function get({ url, key, lastEventId, after }: Fetch): Promise<Fetched> {
  const headers = {
    ...(key && { authorization: `Bearer ${key}` }),
    ...(lastEventId && { 'last-event-id': lastEventId }),
  };
  const begun = now();
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      let first = 0;
      response.on('data', (chunk: Buffer) => {
        first ||= now() - begun;
        chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => {
        const total = now() - begun;
        const body = Buffer.concat(chunks);
        if (response.statusCode !== 200) return reject(new Error(`${response.statusCode} ${body.toString()}`));
        try {
          resolve({ first, total, bytes: body.length, events: after === undefined ? 0 : eventsOf(body, after) });
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

/** @throws where an event is missing or repeated */
function eventsOf(body: Buffer, after: number): number {
  let last = after;
  for (const [, seq] of body.toString('latin1').matchAll(/^id: \w+:(\d+)\nevent: /gm)) {
    if (Number(seq) !== last + 1) throw new Error(`Event ${seq} after ${last}.`);
    last += 1;
  }
  return last - after;
}

answers({
  run,
  get,
  /** Tokens received by all clients since the process began. */
  received: () => received,
  leave: () => {
    for (const response of opened.splice(0)) response.on('error', () => undefined).destroy();
  },
});
