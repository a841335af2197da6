import { DomainError, notFound } from '@scorpio/kernel';
import type { MessageRecord } from './message.schema';

/** The ids of the calls that a message makes. */
export const callsOf = (message: MessageRecord): string[] =>
  message.content.flatMap((part) => (part.type === 'tool_call' ? [part.callId] : []));

/** The ids of the calls whose results a message holds. */
export const resultsOf = (message: MessageRecord): string[] =>
  message.content.flatMap((part) => (part.type === 'tool_result' ? [part.callId] : []));

/**
 * The conversation up to and including a message, all of it without one. A tool call is never parted from its results:
 * what ends between them goes on to the results, and a step that has none yet is left out.
 * @throws DomainError not-found `message_not_found`; conflict `step_unfinished` when that very step has no results yet
 */
export function wholeSteps(thread: MessageRecord[], lastId?: string): MessageRecord[] {
  const wanted = lastId === undefined ? thread.length - 1 : thread.findIndex(({ id }) => id === lastId);
  if (lastId !== undefined && wanted < 0) throw notFound('message');
  const open = new Set<string>();
  let end = 0;
  for (const [index, message] of thread.entries()) {
    for (const call of callsOf(message)) open.add(call);
    for (const call of resultsOf(message)) open.delete(call);
    if (open.size > 0) continue;
    end = index + 1;
    if (index >= wanted) break;
  }
  if (lastId !== undefined && end <= wanted)
    throw new DomainError('conflict', 'step_unfinished', 'The tool calls of this message have no results yet.', {
      field: 'messageId',
      hint: 'Wait for the run to go on, or name an earlier message.',
    });
  return thread.slice(0, end);
}
