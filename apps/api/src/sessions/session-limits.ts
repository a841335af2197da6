/** How much a session may hold. */
export const SESSION_LIMITS = {
  title: 200,
  model: 200,
  instructions: 100_000,
  tools: 128,
  metadataKeys: 32,
  metadataValue: 512,
} as const;

/** `vendor/model`. */
export const MODEL_PATTERN = /^[^/\s]+\/\S+$/;
export const TOOL_NAME_PATTERN = /^[\w.:-]{1,128}$/;
const METADATA_KEY_PATTERN = /^[\w.-]{1,64}$/;
const PROTOTYPE_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

export const METADATA_RULE =
  `must map at most ${SESSION_LIMITS.metadataKeys} keys of letters, digits, _ . - (64 at most) ` +
  `to texts of at most ${SESSION_LIMITS.metadataValue} characters`;

/** Half a surrogate pair, which no store keeps as it is. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

/** The text as a store can keep it. */
export const wellFormed = (text: string): string => text.replace(LONE_SURROGATE, '\uFFFD');

/** Whether the value is a map of texts within the limits. */
export function isMetadata(value: unknown): value is Record<string, string> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= SESSION_LIMITS.metadataKeys &&
    entries.every(
      ([key, text]) =>
        METADATA_KEY_PATTERN.test(key) &&
        !PROTOTYPE_KEYS.has(key) &&
        typeof text === 'string' &&
        text.length <= SESSION_LIMITS.metadataValue &&
        wellFormed(text) === text,
    )
  );
}
