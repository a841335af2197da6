import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropicDialect } from './anthropic.dialect';
import { answerTokens, readDirectives, reasoningTokens, type Behaviour } from './behaviour';
import { chatDialect } from './chat.dialect';
import type { Answer, Dialect, Refusal } from './dialect';
import { geminiDialect } from './gemini.dialect';
import { responsesDialect } from './responses.dialect';
import { WireWriter, type Outcome } from './wire-writer';

const DIALECTS = [anthropicDialect, geminiDialect, responsesDialect, chatDialect];

/** One request as it came, and what became of it. */
export interface FakeRequest {
  path: string;
  /** When it had come, in milliseconds of this process's monotonic clock. */
  at: number;
  headers: IncomingHttpHeaders;
  /** The client's port: the same for requests over the same connection. */
  connection: number;
  body: Record<string, unknown>;
  /** The text of the last user message. */
  message: string;
  /** The status it was answered with; 0 where it never was. */
  status: number;
  /** The whole text that the answer would have, whether or not it was cut. */
  text: string;
  outcome: Outcome;
  /** Resolves once the request is over, however it ended. */
  over: Promise<Outcome>;
}

export interface FakeLlmOptions {
  /** The key that requests must carry; any will do when absent. */
  apiKey?: string;
  /** What `GET /models` lists. */
  models?: string[];
}

/**
 * A server that speaks the vendors' wire forms and misbehaves on demand: by {@link next}, by directives in the last
 * user message (`readDirectives`), or by `fallback`. Refuses requests that the real vendors would refuse.
 */
export class FakeLlm {
  /** Every request for an answer, in their order. */
  readonly requests: FakeRequest[] = [];
  /** Requests for the list of models. */
  listings = 0;
  /** The behaviour of requests that nothing else is said of. */
  fallback: Behaviour = {};
  /** What is wrong with the list of models: an error, or no answer at all. */
  listFault?: 'error' | 'hang';
  /** What the list of models waits for. */
  listAfter?: Promise<unknown>;
  private readonly queue: Behaviour[] = [];
  private readonly seen = new Map<string, number>();
  private server?: Server;

  constructor(private readonly options: FakeLlmOptions = {}) {}

  /** Listens on a loopback port, a free one by default. */
  async start(port = 0): Promise<this> {
    this.server = createServer((request, response) => void this.serve(request, response));
    await new Promise<void>((resolve, reject) => {
      this.server?.once('error', reject).listen(port, '127.0.0.1', resolve);
    });
    return this;
  }

  /** Where it listens. */
  get origin(): string {
    return `http://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  /** The base URL to configure for OpenAI's forms, with `/v1`. */
  get url(): string {
    return `${this.origin}/v1`;
  }

  /** What the next requests do, one each, before anything else counts. */
  next(...behaviours: Behaviour[]): this {
    this.queue.push(...behaviours);
    return this;
  }

  /** Connections that are open now. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.server?.getConnections((error, count) => (error ? reject(error) : resolve(count))),
    );
  }

  /** Forgets requests and orders. */
  reset(): void {
    this.requests.length = 0;
    this.queue.length = 0;
    this.seen.clear();
    this.fallback = {};
    this.listFault = undefined;
    this.listAfter = undefined;
    this.listings = 0;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    const text = await readBody(request);
    if (text === undefined) return;
    const { headers, method } = request;
    const dialect = DIALECTS.find((one) => (method === 'GET' ? one.lists(path, headers) : one.answers(path)));
    if (!dialect) return refuse(response, responsesDialect, 404, { message: `no route ${path}` });
    const key = dialect.keyOf(headers);
    if (this.options.apiKey && key !== this.options.apiKey)
      return refuse(response, dialect, 401, {
        code: 'invalid_api_key',
        message: `Incorrect API key provided: ${key}.`,
      });
    if (method === 'GET') return void (await this.list(dialect, response));
    const body = JSON.parse(text) as Record<string, unknown>;
    await this.answer(
      dialect,
      { path, at: performance.now(), headers: request.headers, connection: request.socket.remotePort ?? 0, body },
      response,
    );
  }

  private async answer(
    dialect: Dialect,
    asked: Pick<FakeRequest, 'path' | 'at' | 'headers' | 'connection' | 'body'>,
    response: ServerResponse,
  ): Promise<void> {
    const model = dialect.modelOf(asked.body, asked.path);
    const fault = dialect.fault(asked.body, model);
    const last = fault ? { text: '', answered: false } : dialect.lastMessage(asked.body);
    const behaviour = this.behaviourFor(last);
    const plan = planAnswer(behaviour, model, this.requests.length);
    let resolve: (outcome: Outcome) => void = () => undefined;
    const over = new Promise<Outcome>((settle) => (resolve = settle));
    const record: FakeRequest = {
      ...asked,
      message: last.text,
      status: 0,
      text: plan.tokens.join(''),
      outcome: 'answering',
      over,
    };
    this.requests.push(record);
    const left = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) left.abort();
      if (record.outcome === 'answering') record.outcome = response.writableFinished ? 'complete' : 'aborted';
      resolve(record.outcome);
    });
    record.status = fault ? 400 : behaviour.hang ? 0 : (behaviour.status ?? 200);
    if (fault) return refuse(response, dialect, 400, { code: 'invalid_request_error', message: fault });
    if (behaviour.hang) return;
    if (behaviour.status) return refuse(response, dialect, behaviour.status, behaviour);
    const outcome = await new WireWriter(response, dialect, behaviour, left.signal).write(dialect.frames(plan));
    if (outcome === 'cut') record.outcome = 'cut';
  }

  private behaviourFor(last: { text: string; answered: boolean }): Behaviour {
    const queued = this.queue.shift();
    if (queued) return queued;
    const ordered = { ...this.fallback, ...readDirectives(last.text) };
    const before = this.seen.get(last.text) ?? 0;
    this.seen.set(last.text, before + 1);
    // Results have come: the answer is text now, or the calls would never end.
    const tools = last.answered ? undefined : ordered.tools;
    return ordered.times !== undefined && before >= ordered.times
      ? { tokens: ordered.tokens, tools }
      : { ...ordered, tools };
  }

  private async list(dialect: Dialect, response: ServerResponse): Promise<void> {
    this.listings++;
    await this.listAfter;
    if (this.listFault === 'hang') return;
    if (this.listFault) return refuse(response, dialect, 500, { message: 'no list today' });
    const body = dialect.listing(this.options.models ?? ['fake-model']);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }
}

function planAnswer(behaviour: Behaviour, model: string, number: number): Answer {
  const tokens = answerTokens(behaviour);
  const reasoning = reasoningTokens(behaviour);
  const tools = (behaviour.tools ?? []).map((tool, index) => ({ callId: `call_${number}_${index}`, ...tool }));
  const output = tokens.length + reasoning.length + tools.length * 10;
  return {
    behaviour,
    model,
    tokens,
    reasoning,
    tools,
    usage: { input: 100, cached: 40, output, reasoning: reasoning.length },
    finish: behaviour.finish ?? (tools.length ? 'tool_calls' : 'stop'),
  };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  } catch {
    return undefined; // The client left before it had asked.
  }
}

function refuse(
  response: ServerResponse,
  dialect: Dialect,
  status: number,
  { retryAfter, ...error }: Partial<Refusal> & { retryAfter?: string },
): void {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  if (retryAfter) headers['retry-after'] = retryAfter;
  const message = error.message ?? `The server answered ${status} as it was told.`;
  response.writeHead(status, headers).end(JSON.stringify(dialect.refusal(status, { ...error, message })));
}
