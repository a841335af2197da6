import { RunState, type ToldResult } from '@scorpio/agent';
import type { RunEvent, RunEventDraft } from '@scorpio/events';
import { NO_USAGE } from '@scorpio/events';
import type { RunOutcome, RunRecord } from '../runs/runs';
import type { Conversation } from './conversation.service';
import type { StoredPart } from './message.schema';
import { messagesOf, settleChat } from './settle-chat';

const SESSION = 'ses_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const at = (step: number, k: number): string => `${SESSION}:000002:000${step}:${k}`;
const CONTENT = [{ type: 'text', text: 'hi' }];
const run = { id: 'run_1', sessionId: SESSION, turn: 2, input: JSON.stringify({ content: CONTENT }) } as RunRecord;
const cancelled: RunOutcome = { type: 'cancelled', by: 'ada', reason: 'user' };
const failed: RunOutcome = { type: 'failed', code: 'provider_auth', message: 'No.', retryable: false };
const expired: RunOutcome = { ...failed, code: 'interaction_expired' };

/** What settling stores, by message id. */
class MemoryConversation implements Pick<Conversation, 'saveInput' | 'savePartial' | 'saveResults' | 'withdraw'> {
  constructor(readonly stored: Record<string, unknown> = {}) {}

  async saveInput(_run: RunRecord, step: number, content: StoredPart[]): Promise<string> {
    return this.keep(at(step, 0), content);
  }

  async savePartial(_run: RunRecord, step: number, _model: string, content: StoredPart[]): Promise<string> {
    return this.keep(at(step, 1), content);
  }

  async saveResults(_run: RunRecord, step: number, results: ToldResult[]): Promise<string> {
    return this.keep(at(step, 2), results);
  }

  async withdraw(_run: RunRecord, step: number, role: 'user' | 'assistant' | 'tool'): Promise<void> {
    delete this.stored[at(step, ['user', 'assistant', 'tool'].indexOf(role))];
  }

  private keep(id: string, content: unknown): string {
    this.stored[id] = content;
    return id;
  }
}

const started: RunEventDraft = { type: 'run.started', epoch: 1, messageId: at(0, 0) };
const begun = (step: number): RunEventDraft => ({ type: 'step.started', step, attempt: 1, provider: 'p', model: 'm' });
const part = (step: number, number: number, kind: 'text' | 'reasoning', text: string): RunEventDraft[] => [
  { type: 'part.started', step, part: number, kind },
  { type: 'part.delta', part: number, offset: 0, text },
];
const call = (step: number, number: number, callId: string): RunEventDraft[] => [
  { type: 'part.started', step, part: number, kind: 'tool_input', callId, name: 'ask_user' },
  { type: 'part.delta', part: number, offset: 0, text: '{"question":"?"}' },
];
const usage = { ...NO_USAGE, inputTokens: 3, outputTokens: 2 };
const done = (step: number): RunEventDraft => ({
  ...{ type: 'step.completed', step, finish: 'tool_calls', messageId: at(step, 1), usage, cost: 0.5, durationMs: 1 },
});
const asked = (callId: string, interactionId: string): RunEventDraft => ({
  ...{ type: 'interaction.requested', interactionId, kind: 'question', callId, prompt: '?', expiresAt: '2030-01-01' },
});

async function settle(drafts: RunEventDraft[], outcome: RunOutcome, of: RunRecord = run, before = {}) {
  const conversation = new MemoryConversation({ ...before });
  const said = await settleChat(of, drafts as RunEvent[], outcome, conversation as unknown as Conversation);
  return { said, stored: conversation.stored };
}

describe('a chat run that ends otherwise than by its own completion', () => {
  it('leaves no message of a step that was taken back', async () => {
    const back: RunEventDraft = { type: 'step.reset', step: 1, attempt: 1, reason: 'recovered' };
    const before = { [at(1, 1)]: [{ type: 'text', text: 'all of it' }], [at(1, 2)]: ['what its calls came to'] };
    const { said, stored } = await settle(
      [started, begun(1), ...part(1, 1, 'text', 'all of it'), back],
      cancelled,
      run,
      before,
    );
    expect(said).toMatchObject([{ type: 'run.cancelled', messages: [at(0, 0)] }]);
    expect(stored).toEqual({ [at(0, 0)]: CONTENT });
  });

  it('leaves nothing of a run that was never said to begin', async () => {
    const before = { [at(0, 0)]: CONTENT };
    const { said, stored } = await settle([], cancelled, run, before);
    expect(said).toMatchObject([{ type: 'run.cancelled', messages: [] }]);
    expect(stored).toEqual({});
  });

  it('leaves nothing that came in meanwhile, unless its events say that it was taken in', async () => {
    const before = { [at(2, 0)]: CONTENT };
    const first = [started, begun(1), ...part(1, 1, 'text', 'hi'), done(1)];
    expect((await settle(first, cancelled, run, before)).stored).toEqual({ [at(0, 0)]: CONTENT });
    const taken: RunEventDraft = { type: 'input.accepted', inputId: 'inp_1', messageId: at(2, 0) };
    const { stored } = await settle([...first, taken], cancelled, run, before);
    expect(stored).toEqual({ [at(0, 0)]: CONTENT, ...before });
  });

  it('keeps what was said of the open step: text and thoughts, but no call', async () => {
    const open = [begun(1), ...part(1, 1, 'reasoning', 'hm'), ...part(1, 2, 'text', 'so f'), ...call(1, 3, 'call_1')];
    const { said, stored } = await settle([started, ...open], cancelled);
    expect(said).toMatchObject([
      { type: 'part.completed', part: 1, chars: 2 },
      { type: 'part.completed', part: 2, chars: 4 },
      { type: 'part.completed', part: 3 },
      { type: 'tool.completed', callId: 'call_1', ok: false, error: { code: 'cancelled' } },
      { type: 'run.cancelled', by: 'ada', reason: 'user', messages: [at(0, 0), at(1, 1)], usage: NO_USAGE, cost: 0 },
    ]);
    expect(stored).toEqual({
      [at(0, 0)]: CONTENT,
      [at(1, 1)]: [
        { type: 'reasoning', text: 'hm' },
        { type: 'text', text: 'so f' },
      ],
    });
  });

  it('gives every open call of a finished step its result, and asks nobody any more', async () => {
    const open = [begun(1), ...call(1, 1, 'call_1'), ...call(1, 2, 'call_2'), done(1)];
    const result = {
      type: 'tool.completed',
      callId: 'call_1',
      ok: true,
      result: 'yes',
      durationMs: 0,
      truncated: false,
    };
    const events = [started, ...open, asked('call_2', 'int_2'), result as RunEventDraft];
    const { said, stored } = await settle(events, cancelled);
    expect(said.map(({ type }) => type)).toEqual([
      ...['interaction.resolved', 'part.completed', 'part.completed', 'tool.completed', 'run.cancelled'],
    ]);
    expect(said[0]).toMatchObject({ interactionId: 'int_2', outcome: 'cancelled', by: 'system' });
    expect(said.at(-1)).toMatchObject({ messages: [at(0, 0), at(1, 1), at(1, 2)], usage, cost: 0.5 });
    expect(stored[at(1, 2)]).toMatchObject([
      { callId: 'call_1', output: 'yes', isError: false },
      { callId: 'call_2', isError: true },
    ]);
  });

  it('says that nobody answered in time where that is why', async () => {
    const { said } = await settle(
      [started, begun(1), ...call(1, 1, 'call_1'), done(1), asked('call_1', 'int_1')],
      expired,
    );
    expect(said).toMatchObject([
      { type: 'interaction.resolved', outcome: 'expired' },
      { type: 'part.completed' },
      { type: 'tool.completed', error: { code: 'expired' } },
      { type: 'run.failed', code: 'interaction_expired' },
    ]);
  });

  it('stores nothing of a step that said nothing', async () => {
    const { said, stored } = await settle([started, begun(1)], failed);
    expect(said).toEqual([{ ...failed, type: 'run.failed', messages: [at(0, 0)], usage: NO_USAGE, cost: 0 }]);
    expect(Object.keys(stored)).toEqual([at(0, 0)]);
  });

  it('leaves out what a reset took back', async () => {
    const reset: RunEventDraft = { type: 'step.reset', step: 1, attempt: 1, reason: 'upstream_truncated' };
    const { stored } = await settle([started, begun(1), ...part(1, 1, 'text', 'lost'), reset], failed);
    expect(Object.keys(stored)).toEqual([at(0, 0)]);
  });

  it('is no part of the conversation when it never had its turn', async () => {
    const { said, stored } = await settle([], cancelled, { ...run, turn: undefined });
    expect(said).toMatchObject([{ type: 'run.cancelled', messages: [] }]);
    expect(stored).toEqual({});
  });

  it('is settled the same way twice', async () => {
    const events = [started, begun(1), ...part(1, 1, 'text', 'so f')];
    expect(await settle(events, failed)).toEqual(await settle(events, failed));
  });
});

describe('the messages of a run', () => {
  it('are those that its events name and the results of its calls, in order', () => {
    const result = { type: 'tool.completed', callId: 'call_1', ok: true, durationMs: 0, truncated: false } as const;
    const events = [started, begun(1), ...call(1, 1, 'call_1'), done(1), result, begun(2), done(2)];
    expect(messagesOf(run, RunState.fold(events as RunEvent[]))).toEqual([at(0, 0), at(1, 1), at(1, 2), at(2, 1)]);
  });
});
