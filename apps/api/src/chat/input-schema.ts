const MOST_CHARS = 32_768;

/** Whether a value is a JSON Schema of objects, of a size that a prompt can bear. */
export const isInputSchema = (value: unknown): boolean =>
  value !== null &&
  typeof value === 'object' &&
  !Array.isArray(value) &&
  (value as { type?: unknown }).type === 'object' &&
  JSON.stringify(value).length <= MOST_CHARS;
