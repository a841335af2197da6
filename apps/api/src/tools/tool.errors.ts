import { DomainError } from '@scorpio/kernel';

/** 400 for arguments that do not fit the tool's schema. */
export const inputInvalid = (field: string, message: string): DomainError => {
  const path = field.startsWith('[') || !field ? `arguments${field}` : `arguments.${field}`;
  return new DomainError('invalid', 'validation_failed', `The arguments do not fit: ${message}`, {
    field: path,
    errors: [{ field: path, message }],
  });
};

/** 413 for arguments that are larger than a model's may be. */
export const inputTooLarge = (limit: number): DomainError =>
  new DomainError('too-large', 'arguments_too_large', `The arguments have more than ${limit} characters.`, {
    field: 'arguments',
  });

/** 400 for a tool that asks people: there is nothing to execute. */
export const toolNotExecutable = (name: string): DomainError =>
  new DomainError('invalid', 'tool_not_executable', `${name} asks people; only a run can wait for them.`, {
    field: 'name',
  });

/** 503 for a tool whose server cannot be asked now. */
export const toolUnavailable = (name: string, reason?: string): DomainError =>
  new DomainError('unavailable', 'tool_unavailable', `${name} cannot be used now.${reason ? ` ${reason}` : ''}`);

/** 403 by rule. */
export const toolDenied = (reason = 'A rule forbids this call.'): DomainError =>
  new DomainError('forbidden', 'tool_denied', reason);

/** 409 for a call that nobody has approved. */
export const approvalRequired = (name: string): DomainError =>
  new DomainError('conflict', 'approval_required', `${name} needs an approval.`, {
    field: 'approve',
    hint: 'Send approve: true to approve it yourself.',
  });

/** 403 for whoever may execute and not approve. */
export const approvalForbidden = (): DomainError =>
  new DomainError('forbidden', 'approval_forbidden', 'Approving a call needs the scope chat.', { field: 'approve' });

/** 422: one key, two bodies. */
export const idempotencyMismatch = (): DomainError =>
  new DomainError('unprocessable', 'idempotency_key_reused', 'This Idempotency-Key was used with another body.', {
    field: 'Idempotency-Key',
    hint: 'Use a new key for a new execution.',
  });

/** 409 for a key whose execution runs, or was lost while it ran. */
export const executionUnfinished = (id: string): DomainError =>
  new DomainError('conflict', 'execution_unfinished', 'The execution under this key has not ended.', {
    hint: 'Look at it again. If it never ends, the server went down meanwhile, and it may or may not have taken effect.',
    execution: `/api/v1/tools/executions/${id}`,
  });
