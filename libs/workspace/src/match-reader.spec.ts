import { MatchReader } from './match-reader';

const output = [
  './a.ts\x001:7:const x;\n',
  './b\n.ts\x0012:1:12-x:y\r\n',
  './c.bin: WARNING: stopped searching binary file after match (found "\\0" byte around offset 7)\n',
  './d\x003:1:last\n',
].join('');

const read = (limit: number, around: number, chunks: string[]): MatchReader => {
  const reader = new MatchReader(limit, around);
  chunks.every((chunk) => reader.take(Buffer.from(chunk)));
  return reader;
};

describe('MatchReader', () => {
  const matches = [
    { path: 'a.ts', line: 1, column: 7, text: 'const x;' },
    { path: 'b\n.ts', line: 12, column: 1, text: '12-x:y' },
    { path: 'd', line: 3, column: 1, text: 'last' },
  ];

  it('reads lines however the output is cut, odd names and remarks included', () => {
    expect(read(9, 0, [output]).matches).toEqual(matches);
    expect(read(9, 0, [...output]).matches).toEqual(matches);
  });

  it('ends at its limit, and only when there is more', () => {
    const cut = read(2, 0, [output]);
    expect([cut.matches, cut.full]).toEqual([matches.slice(0, 2), true]);
    expect(read(3, 0, [output]).full).toBe(false);
  });

  it('gives each match the lines around it once', () => {
    const lines = ['1-a', '2:1:b', '3-c', '5-d', '6:1:e', '7-f'].map((line) => `./a\x00${line}\n`).join('');
    expect(read(9, 1, [lines]).matches).toMatchObject([
      { line: 2, before: ['a'], after: ['c'] },
      { line: 6, before: ['d'], after: ['f'] },
    ]);
  });
});
