const MAX_LENGTH = 60;

/** Marks of a line's form, in the order they may stand: quotes, headings, list items, tasks. */
const LINE_MARKS = /^(?:\s*(?:>|#{1,6}(?=\s)|[-*+](?=\s)|\d{1,3}[.)](?=\s)|\[[ xX]\](?=\s)))+\s*/;
/** The end of a sentence and what closes it. A dot after a single letter (`e.g.`) is none; CJK marks need no space. */
const SENTENCE_END = /((?<=[\p{Letter}\p{Number}"')\]`]{2})\.|[!?…]|\.{2,})+["')\]]*(?=\s|$)|[。！？]+/u;
const LETTER_OR_DIGIT = /[\p{Letter}\p{Number}]/u;

/**
 * A title from the first message of a conversation: its first sentence, without markdown, at most 60 characters,
 * cut at a word. Undefined where there is nothing to read.
 */
export function autoTitle(text: string): string | undefined {
  const line = firstLine(text);
  if (line === undefined) return undefined;
  const end = SENTENCE_END.exec(line);
  const sentence = end ? line.slice(0, end.index + end[0].length) : line;
  return shorten(sentence.replace(/(?<=[^.])[.。:;,]$/u, ''));
}

/** The first line that says something; code blocks only where nothing else does. */
function firstLine(text: string): string | undefined {
  // Enough for any first line worth showing; the rest of a long paste is not worth reading.
  const start = text.slice(0, 4_000);
  const prose = start.replace(/^\s*(```|~~~)[\s\S]*?(^\s*\1|$(?![\s\S]))/gm, '\n');
  const lines = [...prose.split(/\r\n|[\n\r\u2028\u2029]/), ...start.split(/\r\n|[\n\r]/).slice(1)];
  return lines.map(plainText).find((line) => LETTER_OR_DIGIT.test(line));
}

/** One line without its markdown, its whitespace in single spaces. */
const plainText = (line: string): string =>
  line
    .replace(/\p{Surrogate}|\p{Control}|(?![\u200C\u200D])\p{Format}/gu, ' ')
    .replace(LINE_MARKS, '')
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<\/?[a-z][^>]*>/gi, '')
    .replace(/(\*\*|__|~~|`+)(?=\S)(.+?)\1/g, '$2')
    .replace(/(?<![\p{Letter}\p{Number}])([*_])(?=\S)(.+?)(?<=\S)\1(?![\p{Letter}\p{Number}])/gu, '$2')
    .replace(/\s+/g, ' ')
    .trim();

/** At most {@link MAX_LENGTH} characters, cut at a word where that leaves enough of it, with an ellipsis. */
function shorten(text: string): string {
  const characters = [...text];
  if (characters.length <= MAX_LENGTH) return text;
  const head = characters.slice(0, MAX_LENGTH - 1).join('');
  const cutsWord = /\S/u.test(characters[MAX_LENGTH - 1] ?? ' ');
  const space = head.lastIndexOf(' ');
  const words = cutsWord && space > MAX_LENGTH / 3 ? head.slice(0, space) : head;
  return `${words.replace(/[\s,;:.–-]+$/u, '')}…`;
}
