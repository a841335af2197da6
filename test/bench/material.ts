/** What a client says. */
export const WORDS = 'Tell me what a bench of this kind is good for, in a few words, please.';

/** The file that a turn with tool calls reads, a line a call. */
export const NOTES = {
  path: 'notes.md',
  /** Once in each of its lines, and nowhere else. */
  word: 'bench-note',
  text: ['one', 'two', 'three'].map((n) => `Line ${n} of a bench-note that a model might want to read.\n`).join(''),
};
