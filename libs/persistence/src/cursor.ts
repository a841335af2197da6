import { DomainError, parseJson } from '@scorpio/kernel';

/** Longer ones are none of ours: they hold a few ids and times. */
const MAX_LENGTH = 1024;
const FORM = /^[A-Za-z0-9_-]+$/;

/** The place after which a list goes on, as opaque text for clients. Takes strings, numbers, booleans and null. */
export const encodeCursor = (values: unknown[]): string => Buffer.from(JSON.stringify(values)).toString('base64url');

/**
 * The values of a cursor that a client sent.
 * @param isValid whether these are values of a cursor of that list; it may take them for granted in no way
 * @throws DomainError invalid `cursor_invalid`
 */
export function decodeCursor(text: string, isValid: (values: unknown[]) => boolean): unknown[] {
  if (typeof text === 'string' && text.length <= MAX_LENGTH && FORM.test(text)) {
    const values = parseJson(Buffer.from(text, 'base64url').toString('utf8'));
    if (Array.isArray(values) && values.every(isPlain) && isValid(values)) return values as unknown[];
  }
  throw new DomainError('invalid', 'cursor_invalid', 'The cursor is not one this list gave out.', { field: 'cursor' });
}

/** Nothing that could stand for an operator in a filter. */
const isPlain = (value: unknown): boolean => value === null || typeof value !== 'object';
