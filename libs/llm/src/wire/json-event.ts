import { parseJson } from '@scorpio/kernel';
import { LlmError } from '../contract';
import { vendorError, type WireParty } from './errors';

/** The object that an event carries. @throws LlmError `unavailable` where it is none */
export function readObject(data: string, party: WireParty): object {
  const value = parseJson(data);
  if (value === null || typeof value !== 'object')
    throw new LlmError('unavailable', `${party.name} sent something that is not JSON.`);
  return value;
}

/** {@link readObject}. @throws LlmError the vendor's own error where the event holds nothing but one */
export function readEvent(data: string, party: WireParty): object {
  const value = readObject(data, party);
  const { type, error } = value as { type?: unknown; error?: unknown };
  // Gateways report failures within a stream as a bare `{"error": {…}}`, whatever the form of the rest.
  if (error && (type === undefined || (type === 'error' && typeof error === 'object')))
    throw vendorError(bareError(error), party);
  return value;
}

function bareError(error: unknown): { code?: string; message?: string } {
  if (typeof error === 'string') return { message: error };
  const { code, type, message } = error as { code?: unknown; type?: unknown; message?: unknown };
  const known = code ?? type;
  return {
    code: typeof known === 'string' || typeof known === 'number' ? String(known) : undefined,
    message: typeof message === 'string' ? message : undefined,
  };
}

/** A number of tokens as a vendor reports it; 0 where it reports something else. */
export const tokenCount = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);
