import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { isTerminal, type RunEvent } from '@scorpio/events';
import { SseParser, type SseFrame } from './sse-parser';

/** A run event as it came: the text is kept and read again when asked for, so that long runs stay small. */
export class ReceivedEvent {
  constructor(
    readonly seq: number,
    readonly type: string,
    /** The JSON exactly as sent. */
    readonly data: string,
  ) {}

  get event(): RunEvent {
    return JSON.parse(this.data) as RunEvent;
  }
}

/** All that one client has seen of one run, over all its connections, before any clean-up. */
export interface RunRead {
  runId: string;
  events: ReceivedEvent[];
  /** Gaps, repeats and broken rules of the wire form; empty when all is well. */
  faults: string[];
  /** One entry a connection: how it ended. */
  connections: { status: number; end: StreamEnd; retry?: number; headers: IncomingHttpHeaders }[];
  heartbeats: number;
  /** Reasons of the `stream.bye` frames. */
  byes: string[];
}

/** `cut`: we did it; `reset`: the connection broke; `closed`: the server ended it properly; `refused`: there was no stream. */
export type StreamEnd = 'cut' | 'reset' | 'closed' | 'refused';

export interface ReadOptions {
  headers?: Record<string, string>;
  /** Cuts the connection after this many events of it. */
  cutAfter?: number;
  signal?: AbortSignal;
  /** Milliseconds until {@link SseReader.follow} connects again. */
  reconnectMs?: number;
  /** Awaited after each piece of so many bytes before the next one is read: a slow client. */
  pace?: (bytes: number) => Promise<void>;
}

/** An answer that is no stream. */
export class NoStream extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`No stream: ${status} ${body.slice(0, 500)}`);
  }
}

const RESUME_LIMIT_MS = 60_000;
const RECONNECT_MS = 25;
/** How long a server may keep a stream open after the terminal event. */
const CLOSE_LIMIT_MS = 5_000;

/** Reads event streams of a server strictly: what it reports as a fault would lose or repeat something for some client. */
export class SseReader {
  /** @param server its address, or who chooses one for each connection */
  constructor(
    private readonly server: string | (() => string),
    private readonly headers: Record<string, string> = {},
  ) {}

  private get baseUrl(): string {
    return typeof this.server === 'string' ? this.server : this.server();
  }

  /**
   * Sends a chat message and reads its stream until it ends or is cut.
   * @throws NoStream when it is answered by anything but a stream
   */
  async chat(body: unknown, options: ReadOptions = {}): Promise<RunRead> {
    const read = this.begin('');
    const connection = new Connection(read, options);
    await connection.open(
      `${this.baseUrl}/api/v1/chat/sse`,
      'POST',
      { ...this.headers, ...options.headers },
      options.signal,
      body,
    );
    if (connection.refusal) throw connection.refusal;
    return read;
  }

  /** Reads one connection of a run's stream, from the end of `read`, which it extends. 204 is an end too. */
  async connect(run: string | RunRead, options: ReadOptions & { query?: string } = {}): Promise<RunRead> {
    const read = typeof run === 'string' ? this.begin(run) : run;
    const last = read.events.at(-1);
    const connection = new Connection(read, options);
    const headers = {
      ...this.headers,
      ...(last && { 'last-event-id': `${read.runId}:${last.seq}` }),
      ...options.headers,
    };
    const url = `${this.baseUrl}/api/v1/runs/${read.runId}/events${options.query ?? ''}`;
    await connection.open(url, 'GET', headers, options.signal);
    if (connection.refusal && connection.refusal.status !== 204) throw connection.refusal;
    return read;
  }

  /** Reads a run to its terminal event, connecting again after every end, as a browser does, also while the server is away. */
  async follow(run: string | RunRead, options: ReadOptions = {}): Promise<RunRead> {
    const read = typeof run === 'string' ? this.begin(run) : run;
    const signal = options.signal ?? AbortSignal.timeout(RESUME_LIMIT_MS);
    while (!isTerminal(read.events.at(-1)?.type ?? '')) {
      signal.throwIfAborted();
      try {
        await this.connect(read, { ...options, signal });
      } catch (error) {
        if (error instanceof NoStream) throw error;
        await pause(options.reconnectMs ?? RECONNECT_MS, undefined, { signal });
      }
      if (read.connections.at(-1)?.status === 204) break;
    }
    return read;
  }

  private begin(runId: string): RunRead {
    return { runId, events: [], faults: [], connections: [], heartbeats: 0, byes: [] };
  }
}

/** One HTTP exchange, checked frame by frame. */
class Connection {
  refusal?: NoStream;
  private received = 0;
  private frames = 0;
  private done = false;
  private response?: IncomingMessage;

  constructor(
    private readonly read: RunRead,
    private readonly options: ReadOptions,
  ) {}

  /** @throws when no answer came at all */
  open(
    url: string,
    method: string,
    headers: Record<string, string>,
    signal?: AbortSignal,
    body?: unknown,
  ): Promise<void> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const outgoing = request(url, {
        method,
        agent: false,
        signal,
        headers: { accept: 'text/event-stream', ...(text && { 'content-type': 'application/json' }), ...headers },
      });
      outgoing.once('error', (error) => (this.response ? resolve() : reject(error)));
      outgoing.once('response', (response) => {
        this.response = response;
        const type = response.headers['content-type'] ?? '';
        (response.statusCode === 200 && type.startsWith('text/event-stream')
          ? this.stream(response)
          : this.refuse(response)
        ).then(resolve, reject);
      });
      outgoing.end(text);
    });
  }

  private async refuse(response: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    this.close('refused');
    this.refusal = new NoStream(response.statusCode!, Buffer.concat(chunks).toString());
  }

  private async stream(response: IncomingMessage): Promise<void> {
    this.checkHeaders(response);
    const parser = new SseParser((frame) => this.take(frame), this.fault);
    try {
      for await (const chunk of response) {
        parser.push(chunk as Buffer);
        if (this.done) return;
        await this.options.pace?.((chunk as Buffer).length);
      }
      parser.end();
      this.close('closed');
    } catch (error) {
      if (this.done) return;
      this.close('reset');
      if ((error as Error).name === 'AbortError') throw error;
    }
  }

  private get finished(): boolean {
    return isTerminal(this.read.events.at(-1)?.type ?? '');
  }

  private readonly fault = (fault: string): void => {
    this.read.faults.push(`connection ${this.read.connections.length + 1}: ${fault}`);
  };

  private close(end: StreamEnd): void {
    this.done = true;
    const { statusCode, headers } = this.response!;
    this.read.connections.push({ status: statusCode!, end, retry: this.retry, headers });
  }

  private retry?: number;

  private checkHeaders({ headers }: IncomingMessage): void {
    const runId = headers['x-run-id'];
    if (!this.read.runId && typeof runId === 'string') this.read.runId = runId;
    else if (!this.read.runId) this.fault('no X-Run-Id');
    if (!/no-cache/.test(headers['cache-control'] ?? '') || !/no-transform/.test(headers['cache-control'] ?? ''))
      this.fault('Cache-Control without no-cache, no-transform');
    if (headers['x-accel-buffering'] !== 'no') this.fault('X-Accel-Buffering is not no');
    if (headers['content-encoding']) this.fault('a compressed stream');
  }

  private take(frame: SseFrame): void {
    if (this.done) return;
    this.frames++;
    if (frame.retry !== undefined) this.retry = frame.retry;
    if (this.frames === 1 && frame.retry === undefined) this.fault('the first frame does not say retry');
    if (this.finished) this.fault('a frame after the terminal event');
    this.read.heartbeats += frame.comments.length;
    if (frame.event === 'stream.bye') this.bye(frame);
    else if (frame.data) this.event(frame);
    else this.keepsCursor(frame);
  }

  private bye(frame: SseFrame): void {
    this.keepsCursor(frame);
    const { reason } = JSON.parse(frame.data ?? '{}') as { reason?: string };
    if (!reason) this.fault('stream.bye without a reason');
    this.read.byes.push(reason ?? '');
  }

  /** Frames that are no events must leave the client's cursor where it is. */
  private keepsCursor({ id }: SseFrame): void {
    const seq = this.read.events.at(-1)?.seq;
    if (id === undefined) return;
    // A client that asked from a cursor of its own has no event yet that would say where it stands.
    if (seq === undefined ? !id.startsWith(`${this.read.runId}:`) : id !== `${this.read.runId}:${seq}`)
      this.fault(`a frame without an event moves the cursor to ${id}`);
  }

  private event(frame: SseFrame): void {
    let event: RunEvent;
    try {
      event = JSON.parse(frame.data!) as RunEvent;
    } catch {
      return this.fault(`data that is not JSON: ${frame.data!.slice(0, 80)}`);
    }
    const { seq, type, runId, v, ts } = event;
    const expected = this.read.events.at(-1)?.seq;
    if (expected !== undefined && seq <= expected) this.fault(`repeat: ${seq} after ${expected}`);
    if (expected !== undefined && seq > expected + 1) this.fault(`gap: ${seq} after ${expected}`);
    if (v !== 1 || Number.isNaN(Date.parse(ts))) this.fault(`a bad envelope at ${seq}`);
    if (runId !== this.read.runId) this.fault(`an event of another run: ${runId}`);
    if (frame.id !== `${runId}:${seq}`) this.fault(`id ${frame.id} on event ${seq}`);
    if (frame.event !== type) this.fault(`event: ${frame.event} on ${type}`);
    this.read.events.push(new ReceivedEvent(seq, type, frame.data!));
    if (++this.received >= (this.options.cutAfter ?? Infinity)) this.cut();
    else if (isTerminal(type)) this.expectClose();
  }

  private cut(): void {
    this.close('cut');
    this.response!.destroy();
  }

  private expectClose(): void {
    const timer = setTimeout(() => {
      this.fault('the stream stays open after the terminal event');
      this.cut();
    }, CLOSE_LIMIT_MS);
    this.response!.once('close', () => clearTimeout(timer));
  }
}
