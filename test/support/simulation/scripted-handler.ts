import { NO_USAGE, type RunEvent, type RunEventDraft } from '@scorpio/events';
import type { RunControl, RunHandler, RunOutcome } from '../../../apps/api/src/runs/run-handler';
import type { RunRecord } from '../../../apps/api/src/runs/run.schema';
import { messageId } from '../../../apps/api/src/sessions/message-id';

const STEPS = 2;
const DELTAS = 4;
const CALL = 'call_1';
const END = { messages: [], usage: NO_USAGE, cost: 0 };

/** A run of two model calls with a tool between them that must not run twice, as an agent would do it. */
export class ScriptedHandler implements RunHandler {
  /**
   * @param host tells the texts of one server from those of another
   * @param turn resolves when the model or the tool has come to its next word
   * @param effect what the tool does to the world
   */
  constructor(
    private readonly host: string,
    private readonly turn: () => Promise<unknown>,
    private readonly effect: () => void,
  ) {}

  async *run(_run: RunRecord, events: RunEvent[], control: RunControl): AsyncGenerator<RunEventDraft[]> {
    for (let step = 1; step <= STEPS; step++) {
      if (!events.some((event) => event.type === 'step.completed' && event.step === step))
        yield* this.say(step, events, control);
      if (step < STEPS) yield* this.act(events, control);
    }
    await control.inbox.close();
    yield [{ type: 'run.completed', ...END }];
  }

  private async *say(step: number, events: RunEvent[], control: RunControl): AsyncGenerator<RunEventDraft[]> {
    const attempt = events.filter((event) => event.type === 'step.started' && event.step === step).length + 1;
    if (attempt > 1) yield [{ type: 'step.reset', step, attempt: attempt - 1, reason: 'recovered' }];
    yield [
      { type: 'step.started', step, attempt, model: 'scripted' } as RunEventDraft,
      { type: 'part.started', step, part: step, kind: 'text' },
    ];
    for (let offset = 0; offset < DELTAS; offset++) {
      await this.turn();
      control.signal.throwIfAborted();
      yield [{ type: 'part.delta', part: step, offset, text: `${this.host}.${offset} ` }];
    }
    yield [{ type: 'step.completed', step, finish: 'stop', usage: NO_USAGE, cost: 0 } as unknown as RunEventDraft];
  }

  /** Writes ahead: what was begun and not seen to end is not begun again. */
  private async *act(events: RunEvent[], control: RunControl): AsyncGenerator<RunEventDraft[]> {
    if (events.some((event) => event.type === 'tool.completed' || event.type === 'tool.unknown')) return;
    if (events.some((event) => event.type === 'tool.started')) {
      yield [{ type: 'tool.unknown', callId: CALL, attempt: 1, reason: 'The server ended while it ran.' }];
      return;
    }
    yield [{ type: 'tool.started', callId: CALL, attempt: 1, key: CALL }];
    await control.durable();
    await this.turn();
    this.effect();
    await this.turn();
    yield [{ type: 'tool.completed', callId: CALL, ok: true, durationMs: 0, truncated: false }];
  }

  async settle(_run: RunRecord, _events: RunEvent[], outcome: RunOutcome): Promise<RunEventDraft[]> {
    await this.turn();
    const { type, ...why } = outcome;
    return [{ type: `run.${type}`, ...why, ...END } as RunEventDraft];
  }

  inputMessageId(run: RunRecord): string {
    return messageId(run.sessionId, run.turn!, 0, 0);
  }

  fromSteer(_run: RunRecord, input: string): string {
    return input;
  }

  title(): undefined {
    return undefined;
  }
}
