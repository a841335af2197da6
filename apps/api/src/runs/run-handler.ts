import type { Delta, RunEvent, RunEventDraft } from '@scorpio/events';
import type { StepEvent } from './live-run';
import type { RunAsker } from './run-asker';
import type { CancelReason, InboxItem, RunRecord } from './run.schema';

/** Why a run ends other than by its own completion. */
export type RunOutcome =
  | { type: 'cancelled'; by: string; reason: CancelReason }
  | { type: 'failed'; code: string; message: string; retryable: boolean };

/** Thrown by a handler to end its run as failed. The message is for clients: no secret, no stack. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  constructor(
    readonly code: string,
    message: string,
    readonly retryable = false,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** What a handler may ask of its worker. */
export interface RunControl {
  /** Aborts when the run must stop here: cancelled, out of time, handed over, or fenced. Then throw its reason. */
  readonly signal: AbortSignal;
  /** Whether the server is going down: stop at the end of a step by throwing the reason {@link RunControl.handOver} gives. */
  readonly draining: boolean;
  handOver(): Error;
  inbox: {
    /** What was given to the run and is not yet taken in, in order. Repeats until `input.accepted` or `interaction.resolved` of it is stored. */
    take(): Promise<InboxItem[]>;
    /** Closes the inbox if it is empty, as the last thing before `run.completed`; false: take and go on. */
    close(): Promise<boolean>;
  };
  /**
   * Says at once what only makes parts longer, which spares the way through whoever yields to whom for each token.
   * @returns false where that is too much at a time: yield it instead
   */
  grow(deltas: readonly Delta[]): boolean;
  /** Resolves when all that was said is stored: before anything that must not happen twice. */
  durable(): Promise<void>;
}

/**
 * The work of a run. The `runs` room owns this interface and knows nothing of models or tools; one room implements it.
 * A handler may be called again for the same run, with everything stored so far: after a crash, a hand-over, an answer.
 */
export interface RunHandler {
  /** Id of the stored message that a run of this turn answers. */
  inputMessageId(run: RunRecord): string;
  /**
   * Works on the run and yields what happens, one array for what happened together. Ends after `run.completed` or
   * `run.parked`; throws {@link RunFailure} to fail, and the signal's reason when aborted.
   */
  run(run: RunRecord, events: RunEvent[], control: RunControl): AsyncIterable<RunEventDraft[]>;
  /** Brings a run that ends otherwise to a proper end: saves what was said, pairs open calls; the terminal event is last. */
  settle(run: RunRecord, events: RunEvent[], outcome: RunOutcome): Promise<RunEventDraft[]>;
  /** A run of its own for a message that was meant to steer a run which has ended. */
  fromSteer(run: RunRecord, input: string): string;
  /** A title for the session from this run's exchange, if it should have one. */
  title(run: RunRecord): string | undefined;
}

/** Keeps account of model calls. As with {@link RunHandler}, the `runs` room owns the interface and another implements it. */
export interface RunLedger {
  /**
   * Records the model calls of a run, once its terminal event is stored and before the run counts as ended: a crash in
   * between repeats it. What is recorded already stays.
   */
  record(run: RunRecord, steps: readonly StepEvent[]): Promise<void>;
}

/** Where handler, ledger and asker are found: `chat` registers them at boot, so that `runs` imports no feature. */
export class RunHandlers {
  private handler?: RunHandler;
  private accounts?: RunLedger;
  private answering?: RunAsker;

  register(handler: RunHandler): void {
    this.handler = handler;
  }

  registerLedger(ledger: RunLedger): void {
    this.accounts = ledger;
  }

  registerAsker(asker: RunAsker): void {
    this.answering = asker;
  }

  get asker(): RunAsker {
    if (!this.answering) throw new Error('No asker is registered.');
    return this.answering;
  }

  get ledger(): RunLedger {
    if (!this.accounts) throw new Error('No ledger is registered.');
    return this.accounts;
  }

  get current(): RunHandler {
    if (!this.handler) throw new Error('No run handler is registered.');
    return this.handler;
  }
}
