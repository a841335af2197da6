import { LineReader, MatchReader } from './match-reader';

describe('LineReader', () => {
  const output = Buffer.from('./a.ts\x001:7:const x;\n./b\n.ts\x0012:1:12-x:y\r\n./\xff\x003:1:last\n', 'latin1');
  const lines = [
    ['./a.ts', '1:7:const x;'],
    ['./b\n.ts', '12:1:12-x:y\r'],
    ['./\xff', '3:1:last'],
  ];
  const read = (chunks: Buffer[]): string[][] => {
    const reader = new LineReader();
    return chunks.flatMap((chunk) => reader.take(chunk)).map(({ path, text }) => [path.toString('latin1'), text]);
  };

  it('reads lines however the output is cut, odd names included', () => {
    expect(read([output])).toEqual(lines);
    expect(read([...output].map((byte) => Buffer.from([byte])))).toEqual(lines);
  });
});

describe('MatchReader', () => {
  const lines = ['1:7:const x;', '12:1:12-x:y\r', '30:1:last'];
  const matches = [
    { path: 'a', line: 1, column: 7, text: 'const x;' },
    { path: 'a', line: 12, column: 1, text: '12-x:y' },
    { path: 'a', line: 30, column: 1, text: 'last' },
  ];
  const read = (limit: number, around: number, told: string[]): MatchReader => {
    const reader = new MatchReader(limit, around);
    for (const line of told) reader.take('a', line);
    return reader;
  };

  it('ends at its limit, and only when there is more', () => {
    expect(read(9, 0, lines).matches).toEqual(matches);
    const cut = read(2, 0, lines);
    expect([cut.matches, cut.full]).toEqual([matches.slice(0, 2), true]);
    expect(read(3, 0, lines).full).toBe(false);
  });

  it('gives each match the lines around it once', () => {
    expect(read(9, 1, ['1-a', '2:1:b', '3-c', '5-d', '6:1:e', '7-f']).matches).toMatchObject([
      { line: 2, before: ['a'], after: ['c'] },
      { line: 6, before: ['d'], after: ['f'] },
    ]);
  });
});
