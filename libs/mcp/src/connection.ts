import { monotonicMs, orAbort, pause, type JsonObject } from '@scorpio/kernel';
import { ActiveCalls } from './active-calls';
import type { McpCallOptions, McpProgress, McpResult, McpStatus } from './contract';
import { definitions, type McpDefinition } from './definition';
import { needsAuthorization, serverUnavailable } from './mcp.errors';
import { toResult } from './result';
import { loadSdk, type Sdk, type SdkClient } from './sdk';
import { callError, isSessionGone, isUnauthorized, whyNotConnected } from './sdk-errors';
import { openSession, type Session, type SessionOptions } from './session';
import type { McpServerSpec } from './server-entry';

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 60_000;
/** Reconnections in a row that are tried without being asked for. */
const UNASKED_ATTEMPTS = 8;

export interface ConnectionOptions extends SessionOptions {
  /** Most characters of text that a result keeps in place. */
  resultMaxChars: number;
  /** Longest silence of a call, and longest call. */
  callTimeoutMs: number;
  callMaxMs: number;
}

/**
 * One server, kept connected: made at the first need, made again after a fault (at growing intervals), and its list of
 * tools kept, so that nobody waits for it who need not.
 */
export class McpConnection {
  /** When it was last asked for something, on the clock of `monotonicMs`. */
  usedAt = monotonicMs();
  private state: McpStatus = { state: 'idle', since: new Date() };
  private listed?: McpDefinition[];
  private session?: Session;
  private opening?: Promise<Session>;
  private openingSince = 0;
  private failures = 0;
  private retryAt = 0;
  private readonly calls = new ActiveCalls();
  private readonly ended = new AbortController();

  constructor(
    readonly spec: McpServerSpec,
    private readonly options: ConnectionOptions,
  ) {}

  get status(): McpStatus {
    return this.state;
  }

  /**
   * The tools as last listed. Begins to connect where that is due, and waits for a first list no longer than `waitMs`
   * from when the connecting began.
   */
  async tools(waitMs: number): Promise<McpDefinition[]> {
    this.usedAt = monotonicMs();
    const opening = this.session ? undefined : this.ensure().catch(() => undefined);
    const left = this.openingSince + waitMs - monotonicMs();
    if (!this.listed && opening && left > 0) await Promise.race([opening, pause(left)]);
    return this.listed ?? [];
  }

  /**
   * Connects, or waits until it is.
   * @param now whether to try even where the last attempt failed a moment ago
   * @throws DomainError unavailable `mcp_server_unavailable`, `mcp_needs_authorization`
   */
  async connect(now = false): Promise<void> {
    if (now) this.retryAt = 0;
    await this.ensure();
  }

  /** @param caller whose call it is: questions of the server go to nobody else */
  call(caller: string, tool: string, args: Record<string, unknown>, options: McpCallOptions): Promise<McpResult> {
    const ask = (client: SdkClient) => client.callTool(callRequest(tool, args, options), this.limits(options));
    const work = async (client: SdkClient, sdk: Sdk): Promise<McpResult> => {
      try {
        return toResult(await ask(client), this.options.resultMaxChars);
      } catch (error) {
        if (!(error instanceof sdk.UrlElicitationRequiredError)) throw error;
        if (!(await this.visitAll(error.elicitations, options.signal))) throw error;
        return toResult(await ask(client), this.options.resultMaxChars);
      }
    };
    return this.with((client, sdk) => this.calls.run(caller, options, () => work(client, sdk)), options.signal);
  }

  /** Works with the connected client; once more where the server has forgotten the session. */
  async with<T>(work: (client: SdkClient, sdk: Sdk) => Promise<T>, signal?: AbortSignal): Promise<T> {
    this.usedAt = monotonicMs();
    const session = await (signal ? orAbort(this.ensure(), signal) : this.ensure());
    const sdk = await loadSdk();
    try {
      return await work(session.client, sdk);
    } catch (error) {
      signal?.throwIfAborted();
      if (!session.hasServerSession || !isSessionGone(sdk, error)) throw this.told(sdk, session, error);
    }
    this.drop(session);
    const fresh = await this.ensure();
    try {
      return await work(fresh.client, sdk);
    } catch (error) {
      signal?.throwIfAborted();
      throw this.told(sdk, fresh, error);
    }
  }

  /** Ends it for good. */
  async close(): Promise<void> {
    this.ended.abort();
    this.state = { state: 'disabled', since: new Date() };
    const session = this.session ?? (await this.opening?.catch(() => undefined));
    this.session = undefined;
    await session?.close();
  }

  private limits({ signal, onProgress }: McpCallOptions) {
    return {
      signal,
      timeout: this.options.callTimeoutMs,
      maxTotalTimeout: this.options.callMaxMs,
      resetTimeoutOnProgress: true,
      // Always, or no progress would come that shows the call to be alive.
      onprogress: (progress: McpProgress) => onProgress?.(progress),
    };
  }

  private async ensure(): Promise<Session> {
    if (this.session) return this.session;
    if (this.opening) return this.opening;
    const { name } = this.spec;
    if (this.ended.signal.aborted) throw serverUnavailable(name, 'it was removed');
    const wait = this.retryAt - monotonicMs();
    if (wait > 0) {
      if (this.state.state === 'needs_authorization') throw needsAuthorization(name);
      throw serverUnavailable(name, this.state.reason ?? 'it failed', wait);
    }
    this.openingSince = monotonicMs();
    this.opening = this.open().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async open(): Promise<Session> {
    this.state = { state: 'connecting', since: new Date() };
    const sdk = await loadSdk();
    let session: Session | undefined;
    try {
      session = await openSession(
        sdk,
        this.spec,
        this.options,
        {
          tools: (tools) => this.list(tools),
          elicit: (elicitation, signal) => this.calls.elicit(elicitation, signal),
          sample: (request: JsonObject, signal) => this.calls.sample(request, signal),
          closed: (one, reason) => this.lost(one, reason),
        },
        this.ended.signal,
      );
      this.list(await session.listTools());
    } catch (error) {
      await session?.close();
      throw this.failed(
        isUnauthorized(sdk, error),
        whyNotConnected(sdk, error, session?.stderr ?? stderrOf(error)),
        error,
      );
    }
    this.failures = 0;
    this.session = session;
    const { protocolVersion, product } = session;
    this.state = { ...this.state, state: 'ready', since: new Date(), protocolVersion, product };
    return session;
  }

  private list(tools: Parameters<typeof definitions>[0]): void {
    const { found, leftOut } = definitions(tools);
    this.listed = found;
    const reason = leftOut ? `${leftOut} tools are left out: too many, too large, or of the same name` : undefined;
    this.state = { ...this.state, reason };
  }

  /** Notes a failed attempt and when the next one is due. */
  private failed(unauthorized: boolean, reason: string, cause?: unknown): Error {
    const { name } = this.spec;
    this.failures++;
    const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** (this.failures - 1), LONGEST_BACKOFF_MS);
    this.retryAt = monotonicMs() + backoff;
    this.state = {
      state: unauthorized ? 'needs_authorization' : 'failed',
      reason: unauthorized ? 'it has to be authorized' : reason,
      since: new Date(),
    };
    // Only a person can authorize it, and a server that was never reached is tried again when it is asked for.
    if (!unauthorized && this.listed && this.failures < UNASKED_ATTEMPTS) void this.retry(backoff);
    return unauthorized ? needsAuthorization(name) : serverUnavailable(name, reason, backoff, cause);
  }

  private async retry(backoffMs: number): Promise<void> {
    await pause(backoffMs, this.ended.signal);
    if (this.ended.signal.aborted) return;
    this.retryAt = 0;
    await this.ensure().catch(() => undefined);
  }

  /** A session ended by itself. */
  private lost(session: Session, reason: string): void {
    if (this.session !== session) return;
    this.session = undefined;
    if (!this.ended.signal.aborted) this.failed(false, reason);
  }

  private drop(session: Session): void {
    if (this.session === session) this.session = undefined;
    void session.close();
  }

  /** The error for the caller; a server that cannot be reached any more is dialled anew, one that is silent looked after. */
  private told(sdk: Sdk, session: Session, error: unknown): Error {
    const told = callError(sdk, this.spec.name, error);
    const code = (told as { code?: string }).code;
    if (this.session !== session) return told;
    if (code === 'mcp_server_unavailable' || code === 'mcp_needs_authorization') {
      this.drop(session);
      this.failed(code === 'mcp_needs_authorization', whyNotConnected(sdk, error));
    } else if (code === 'mcp_timeout')
      void session.isAlive().then((alive) => {
        if (alive || this.session !== session) return;
        this.drop(session);
        this.failed(false, 'it no longer answers');
      });
    return told;
  }

  /** Whether a person has been to all the addresses. */
  private async visitAll(
    wanted: readonly { message: string; url: string }[],
    signal = this.ended.signal,
  ): Promise<boolean> {
    for (const { message, url } of wanted) {
      const asked = { mode: 'url', server: this.spec.name, message, url } as const;
      if ((await this.calls.elicit(asked, signal)).action !== 'accept') return false;
    }
    return wanted.length > 0;
  }
}

const callRequest = (name: string, args: Record<string, unknown>, { key }: McpCallOptions) => ({
  name,
  arguments: args,
  ...(key !== undefined && { _meta: { 'scorpio/idempotency-key': key } }),
});

const stderrOf = (error: unknown): string => (error as { stderr?: string }).stderr ?? '';
