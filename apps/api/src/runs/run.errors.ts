import { DomainError } from '@scorpio/kernel';
import type { RunRecord } from './run.schema';

/** 409 for `onBusy: reject`. */
export const sessionBusy = (active: RunRecord): DomainError =>
  new DomainError('conflict', 'session_busy', 'The session is busy with another run.', {
    field: 'onBusy',
    hint: 'Wait for it to end, or send the message with onBusy enqueue, steer or interrupt.',
    activeRun: { id: active.id },
  });

/** 422: one key, two bodies. */
export const idempotencyMismatch = (): DomainError =>
  new DomainError('unprocessable', 'idempotency_key_reused', 'This Idempotency-Key was used with another body.', {
    field: 'Idempotency-Key',
    hint: 'Use a new key for a new message.',
  });

/** 400 for a cursor of another run, ahead of the log, or of no known form. */
export const cursorInvalid = (field: string, message: string): DomainError =>
  new DomainError('invalid', 'cursor_invalid', message, {
    field,
    hint: 'Send the id of the last event received from this run, or nothing to read from the start.',
  });

/** 410 with the way to what is kept. */
export const eventsGone = (run: RunRecord): DomainError =>
  new DomainError('gone', 'events_expired', 'The events of this run are no longer kept.', {
    hint: 'Read the messages of the session.',
    messages: `/api/v1/sessions/${run.sessionId}/messages`,
  });

/** 409 for an interaction that has its answer or has ended. */
export const interactionClosed = (status: string): DomainError =>
  new DomainError('conflict', 'interaction_closed', `The interaction is not open any more (${status}).`, { status });

/** 400 for an answer that the interaction cannot take. */
export const answerInvalid = (field: string, message: string): DomainError =>
  new DomainError('invalid', 'answer_invalid', message, { field });
