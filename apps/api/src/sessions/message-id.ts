/** A message's id is its place: `<session>:<turn>:<step>:<k>`, k = 0 input, 1 model, 2 tool results. In order as text. */
export const messageId = (sessionId: string, turn: number, step: number, k: number): string =>
  `${sessionId}:${String(turn).padStart(6, '0')}:${String(step).padStart(4, '0')}:${k}`;

/** The turn in a message id. */
export const turnOf = (id: string): number => Number(id.split(':')[1]);
