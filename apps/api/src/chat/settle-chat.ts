import { RunState, abandoned, completed, resultsOf } from '@scorpio/agent';
import type { RunEvent, RunEventDraft } from '@scorpio/events';
import type { RunOutcome, RunRecord } from '../runs/runs';
import { messageId } from '../sessions/message-id';
import { inputOf } from './chat-input';
import type { Conversation } from './conversation.service';
import type { StoredPart } from './message.schema';

/**
 * Brings a run that ends otherwise than by its own completion to a proper end: what was said is stored, every call has a
 * result, nobody is asked any more. May be repeated.
 */
export async function settleChat(
  run: RunRecord,
  events: RunEvent[],
  outcome: RunOutcome,
  conversation: Conversation,
): Promise<RunEventDraft[]> {
  const state = RunState.fold(events);
  const drafts: RunEventDraft[] = [];
  const say = (draft: RunEventDraft): void => {
    state.apply(draft);
    drafts.push(draft);
  };
  const expired = outcome.type === 'failed' && outcome.code === 'interaction_expired';
  const ended = expired ? 'expired' : outcome.type;
  // A run that was never said to begin has said nothing, and its message is no part of the conversation.
  const { content, compact } = inputOf(run);
  if (run.turn !== undefined && !compact)
    if (state.messages.length) await conversation.saveInput(run, 0, content);
    else await conversation.withdraw(run, 0, 'user');
  for (const interaction of state.openInteractions)
    say({
      type: 'interaction.resolved',
      interactionId: interaction.id,
      outcome: expired ? 'expired' : 'cancelled',
      by: 'system',
    });
  for (const [part, { text, done }] of state.parts) if (!done) say(completed(part, text));
  for (const call of state.calls.values()) if (call.status !== 'completed') say(abandoned(call, ended));
  await settleStep(run, state, conversation);
  const messages = compact ? state.modelCalls.map((call) => call.messageId) : messagesOf(run, state);
  const { usage, cost } = state;
  drafts.push(
    outcome.type === 'cancelled'
      ? { type: 'run.cancelled', by: outcome.by, reason: outcome.reason, messages, usage, cost }
      : {
          type: 'run.failed',
          code: outcome.code,
          message: outcome.message,
          retryable: outcome.retryable,
          messages,
          usage,
          cost,
        },
  );
  return drafts;
}

/**
 * Stores what the last step leaves. Where the log says nothing, the place of the message is taken: an earlier owner, or an
 * end that was not finished, may have stored there what the log has taken back since, or may be about to.
 */
async function settleStep(run: RunRecord, state: RunState, conversation: Conversation): Promise<void> {
  const { step } = state;
  if (state.stepOpen) {
    const content = said(state);
    if (content.length)
      state.messages.push(await conversation.savePartial(run, step, state.model ?? run.model, content));
    else await conversation.withdraw(run, step, 'assistant');
    await conversation.withdraw(run, step, 'tool');
  } else if (step > 0) {
    if (state.callsOf(step).length) await conversation.saveResults(run, step, resultsOf(state, step));
    if (!state.unanswered) await conversation.withdraw(run, step + 1, 'user');
  }
}

/** Ids of the run's stored messages in order: those its events name, and the results of each completed step's calls. */
export function messagesOf(run: RunRecord, state: RunState): string[] {
  const withCalls = new Set([...state.calls.values()].map((call) => call.step));
  if (state.stepOpen) withCalls.delete(state.step);
  const results = [...withCalls].map((step) => messageId(run.sessionId, run.turn!, step, 2));
  return [...new Set([...state.messages, ...results])].sort();
}

/** Text and thoughts of the open step. Its calls are left out: nothing came of them. */
function said(state: RunState): StoredPart[] {
  return state.partsOf(state.step).flatMap(([, { kind, text }]): StoredPart[] => {
    const whole = text.join('');
    return kind === 'tool_input' || !whole ? [] : [{ type: kind, text: whole }];
  });
}
