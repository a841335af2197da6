import type { Client } from './generated/client/index.ts';
import type { ChatAnswer, ChatMessageRequest, ChatStreamRequest, Run } from './generated/types.gen.ts';
import { RunStream, type ChatRunStream, type StreamOptions } from './run-stream.ts';
import type { RunsApi } from './runs-api.ts';

/** How a message is sent. */
export interface ChatOptions {
  /** The same key with the same message gives the same run, for a day. One is made where none is given. */
  idempotencyKey?: string;
  /** Ends the waiting, never the run. */
  signal?: AbortSignal;
}

export type ChatStreamOptions = ChatOptions & StreamOptions;

/** A message to a session that there is. */
type Message = ChatMessageRequest & { sessionId: string };

/**
 * Sending messages. Each is sent with an `Idempotency-Key`, so that one whose answer was lost can be sent again and
 * finds the run that the first has made.
 */
export class Chat {
  constructor(
    private readonly client: Client,
    private readonly runs: RunsApi,
  ) {}

  /**
   * Sends a message and streams the run that answers it. Makes the session when none is named.
   * Resolves once the run is stored. Only while no answer has begun is the request repeated, with the same key; from
   * then on what was missed is read from the run's events.
   */
  async stream(message: ChatStreamRequest, options: ChatStreamOptions = {}): Promise<ChatRunStream> {
    const { data: first, response } = await this.client.post<{ 200: ReadableStream<Uint8Array> }, unknown, true>({
      url: '/api/v1/chat/sse',
      body: message,
      headers: { ...keyed(options), Accept: 'text/event-stream' },
      parseAs: 'stream',
      signal: options.signal,
    });
    const [runId, sessionId] = [response.headers.get('X-Run-Id'), response.headers.get('X-Session-Id')];
    if (!runId || !sessionId)
      throw new Error('The answer names no run: something on the way removes X-Run-Id or X-Session-Id.');
    return new RunStream(runId, this.runs.source(runId), options, { sessionId, first }) as ChatRunStream;
  }

  /**
   * Sends a message and waits for the whole answer. It comes whatever the run's end (`run.status`, `run.error`), and
   * when the run waits for people (`waiting_input`).
   */
  async message({ sessionId, ...body }: Message, options: ChatOptions = {}): Promise<ChatAnswer> {
    return (await this.post<ChatAnswer>(sessionId, body, keyed(options), options)).data;
  }

  /** Sends a message and does not wait. @returns the run, to be read by `runs.stream` and `runs.get` */
  async start({ sessionId, ...body }: Message, options: ChatOptions = {}): Promise<Run> {
    const headers = { ...keyed(options), Prefer: 'respond-async' };
    return (await this.post<Run>(sessionId, body, headers, options)).data;
  }

  private post<T>(sessionId: string, body: ChatMessageRequest, headers: Record<string, string>, options: ChatOptions) {
    return this.client.post<{ 200: T }, unknown, true>({
      url: '/api/v1/chat/{sessionId}/message',
      path: { sessionId },
      body,
      headers,
      signal: options.signal,
    });
  }
}

const keyed = ({ idempotencyKey = newKey() }: ChatOptions): Record<string, string> => ({
  'Idempotency-Key': idempotencyKey,
});

/** Not `randomUUID`: browsers have it only on https and localhost. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
