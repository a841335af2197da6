import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answers } from './answers';
import { NOTES } from './material';

/**
 * A model server that costs next to nothing: Chat Completions from bytes made beforehand, written past Node's response.
 * The model's name says what comes: `burst-500` (as fast as it goes), `paced-500-50` (tokens, a second),
 * `held-1` (the tokens, then silence until `release`), `tools-8-3` (the tokens of a burst, once three calls for a line of
 * a file are answered, one after the other). Tokens are numbered; paced ones hold the time they were sent.
 */
const held = new Set<() => void>();
const bursts = new Map<number, Buffer>();

const sse = (data: object | string): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
const httpChunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
const base = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'bench' };
const delta = (content: string): string =>
  httpChunk(sse({ ...base, choices: [{ index: 0, delta: { content }, finish_reason: null }] }));
const numbered = (index: number): string => `t${String(index).padStart(5, '0')}`;

const usage = (tokens: number) => ({ prompt_tokens: 10, completion_tokens: tokens, total_tokens: 10 + tokens });
const ending = (tokens: number): string =>
  httpChunk(sse({ ...base, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })) +
  httpChunk(sse({ ...base, choices: [], usage: usage(tokens) })) +
  httpChunk(sse('[DONE]'));

function burst(tokens: number): Buffer {
  let bytes = bursts.get(tokens);
  if (!bytes) {
    const all = Array.from({ length: tokens }, (_, index) => delta(`${numbered(index + 1)} `));
    bursts.set(tokens, (bytes = Buffer.from(all.join('') + ending(tokens))));
  }
  return bytes;
}

let calls = 0;
/** Asks for one line of a file, as the vendor streams it. */
function toolCall(line: number): Buffer {
  const part = (call: object): string =>
    httpChunk(sse({ ...base, choices: [{ index: 0, delta: { tool_calls: [{ index: 0, ...call }] } }] }));
  const name = { id: `call_${(calls += 1)}`, type: 'function', function: { name: 'read_file', arguments: '' } };
  const words = JSON.stringify({ path: NOTES.path, startLine: line, lineCount: 1 });
  const ending = { ...base, choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] };
  const last = httpChunk(sse(ending)) + httpChunk(sse({ ...base, choices: [], usage: usage(20) }));
  return Buffer.from(part(name) + part({ function: { arguments: words } }) + last + httpChunk(sse('[DONE]')));
}

/** How many lines of the file the model was told since it was last asked; what a failed call tells is none. */
const linesTold = (body: string): number => body.slice(body.lastIndexOf('"role":"user"')).split(NOTES.word).length - 1;

const PLACE = 'PLACE';
const [before, after] = delta(PLACE.padEnd(18, '_')).split(PLACE.padEnd(18, '_'));
/** The clock that all processes of a machine share, in milliseconds. */
const clock = (): string => ((Number(process.hrtime.bigint()) / 1e6) % 1e7).toFixed(2).padStart(10, '0');
const stamped = (index: number): string => `${before}${numbered(index)}@${clock()} ${after}`;

function pace({ socket }: ServerResponse, tokens: number, perSecond: number, end: () => void): void {
  const every = 1000 / perSecond;
  let sent = 0;
  const next = (): void => {
    socket?.write(stamped((sent += 1)));
    if (sent < tokens) return;
    clearInterval(timer);
    end();
  };
  let timer: NodeJS.Timeout;
  next();
  // Streams of different people are not in step.
  setTimeout(() => (timer = setInterval(next, every)), Math.random() * every);
}

function reply(response: ServerResponse, body: string, kind: string, tokens: number, more: number): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const end = (): void => {
    response.socket?.write(ending(tokens));
    response.end();
  };
  if (kind === 'paced') return pace(response, tokens, more, end);
  if (kind === 'burst' || kind === 'tools') {
    const told = kind === 'tools' ? linesTold(body) : more;
    response.socket?.write(told < more ? toolCall(told + 1) : burst(tokens));
    return void response.end();
  }
  response.socket?.write(Array.from({ length: tokens }, (_, index) => delta(`${numbered(index + 1)} `)).join(''));
  held.add(end);
  response.once('close', () => held.delete(end));
}

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString('latin1');
    const [, kind, tokens, more] = /"model":"(\w+)-(\d+)(?:-(\d+))?"/.exec(body) ?? [];
    if (kind) return reply(response, body, kind, Number(tokens), Number(more ?? 0));
    response.writeHead(404).end();
  });
});
server.keepAliveTimeout = 600_000;

answers({
  listen: () =>
    new Promise((done) => server.listen(0, '127.0.0.1', () => done((server.address() as AddressInfo).port))),
  release: () => {
    for (const end of [...held]) end();
  },
});
