/** Where a message stands in its session. `k`: 0 an input, 1 the model's message, 2 the tool results. */
export interface MessagePlace {
  sessionId: string;
  turn: number;
  step: number;
  k: number;
}

/** A message's id is its place: `<session>:<turn>:<step>:<k>`. In order as text, so a conversation is a range of `_id`. */
export const messageId = (sessionId: string, turn: number, step: number, k: number): string =>
  `${sessionId}:${String(turn).padStart(6, '0')}:${String(step).padStart(4, '0')}:${k}`;

const PLACE = /^(ses_[0-9A-HJKMNP-TV-Z]{26}):(\d{6}):(\d{4}):(\d{1,9})$/;

/** The parts of a message id, or undefined where the text is none. */
export function messagePlace(id: string): MessagePlace | undefined {
  const match = PLACE.exec(id);
  if (!match) return undefined;
  return { sessionId: match[1], turn: Number(match[2]), step: Number(match[3]), k: Number(match[4]) };
}

/** The turn in a message id. */
export const turnOf = (id: string): number => Number(id.split(':')[1]);
