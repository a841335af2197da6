import { autoTitle } from './auto-title';

describe('autoTitle', () => {
  it.each([
    ['a short message as it is', 'hi', 'hi'],
    ['the first sentence', 'Plan a trip to Oslo. I like trains.', 'Plan a trip to Oslo'],
    ['a question with its mark', 'What is a monad? Explain it slowly.', 'What is a monad?'],
    ['the first line that says something', '\n\n  ---\nSecond try\nmore', 'Second try'],
    ['no marks of headings, lists or quotes', '> ## 1. - [ ] Buy milk', 'Buy milk'],
    [
      'no emphasis, links or tags',
      'Fix **the** _bug_ in `main.ts`, see [docs](https://x.test/a)<br>',
      'Fix the bug in main.ts, see docs',
    ],
    ['names with underscores as they are', 'Why does snake_case_name fail', 'Why does snake_case_name fail'],
    ['multiplication as it is', 'compute 2 * 3 * 4', 'compute 2 * 3 * 4'],
    ['dots within words', 'Is Node.js 24.9 out yet', 'Is Node.js 24.9 out yet'],
    ['not only an abbreviation', 'e.g. this', 'e.g. this'],
    ['whitespace in single spaces', 'one\t two \u00a0 three', 'one two three'],
    ['the words around code, not the code', '```ts\nconst a = 1;\n```\nWhy does this fail?', 'Why does this fail?'],
    ['code where there is nothing else', '```\nnpm ERR! missing\n```', 'npm ERR!'],
    ['other scripts', '你好。请介绍一下你自己。', '你好'],
    ['trailing dots of thought', 'Well... then', 'Well...'],
  ])('keeps %s', (_, text, title) => {
    expect(autoTitle(text)).toBe(title);
  });

  it.each(['', '   \n\t', '---', '```\n```', '\u0000\u200b'])('makes none of %j', (text) => {
    expect(autoTitle(text)).toBeUndefined();
  });

  it('cuts at a word, with an ellipsis, within 60 characters', () => {
    const title = autoTitle('Please write a very detailed comparison of the three most common database engines')!;
    expect(title).toBe('Please write a very detailed comparison of the three most…');
    expect(title.length).toBeLessThanOrEqual(60);
  });

  it('cuts a word that is too long itself', () => {
    expect(autoTitle('x'.repeat(500))).toBe(`${'x'.repeat(59)}…`);
  });

  it('does not cut a character of two units in half', () => {
    expect(autoTitle(`a${'😀'.repeat(100)}`)).toBe(`a${'😀'.repeat(58)}…`);
  });

  it('stays quick on hostile text', () => {
    for (const text of [
      '['.repeat(100_000),
      '*'.repeat(100_000),
      '<a'.repeat(50_000),
      '`'.repeat(100_000),
      '> '.repeat(50_000),
    ])
      autoTitle(text);
  });
});
