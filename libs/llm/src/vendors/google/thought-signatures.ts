import type { Part } from '@google/genai';
import type { LlmNative } from '../../contract';

/** A signature with the place of the part that carried it: characters of the text that it stands in. */
export interface ThoughtSignature {
  at: number;
  length: number;
  /** Whether that part was a thought. */
  thought: boolean;
  signature: string;
}

/**
 * Told instead of a signature for calls that this model never made: those of another vendor or model, or made under
 * another system prompt (ai.google.dev/gemini-api/docs/thought-signatures, "FAQs").
 */
export const FOREIGN_CALL = 'skip_thought_signature_validator';

/** What is kept of a text or of reasoning: the signatures in it. */
export interface SignedText {
  signatures: ThoughtSignature[];
}

/** What is kept of a call. */
export interface SignedCall {
  thoughtSignature: string;
}

export const callSignature = (native: LlmNative | undefined): string | undefined => {
  const signature = (native?.data as Partial<SignedCall> | null | undefined)?.thoughtSignature;
  return typeof signature === 'string' ? signature : undefined;
};

/** The signatures in a text; what is none of our making (an imported conversation may hold anything) counts for nothing. */
function signaturesOf(native: LlmNative | undefined): ThoughtSignature[] {
  const signatures = (native?.data as { signatures?: unknown } | null | undefined)?.signatures;
  return Array.isArray(signatures) ? signatures.filter(isSignature) : [];
}

const isSignature = (one: Partial<ThoughtSignature> | null): one is ThoughtSignature =>
  typeof one?.signature === 'string' && typeof one.at === 'number' && typeof one.length === 'number';

/**
 * The parts that a text came in, as far as signatures tell: each signature goes back with its own part, as signed parts
 * may be joined with nothing. Thoughts that are not signed mean nothing to the model and stay away.
 */
export function signedParts(kind: 'text' | 'reasoning', text: string, native: LlmNative | undefined): Part[] {
  const parts: Part[] = [];
  const unsigned = (from: number, to: number): void => {
    const piece = text.slice(from, to);
    if (kind === 'text' && piece) parts.push({ text: piece });
  };
  let done = 0;
  for (const { at, length, thought, signature } of signaturesOf(native)) {
    unsigned(done, at);
    done = at + length;
    parts.push({ text: text.slice(at, done), ...(thought && { thought }), thoughtSignature: signature });
  }
  unsigned(done, text.length);
  return parts;
}
