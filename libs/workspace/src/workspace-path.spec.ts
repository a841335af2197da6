import { parseFolderPath, parsePath } from './workspace-path';

describe('parsePath', () => {
  it.each([
    ['a', 'a'],
    ['./a//b/', 'a/b'],
    ['a/./b/../c', 'a/c'],
    ['/workspace/a', 'a'],
    ['//workspace//a', 'a'],
    ['workspace/a', 'workspace/a'],
    ['a\\b', 'a\\b'],
    ['...', '...'],
    ['%2e%2e/x', '%2e%2e/x'],
  ])('takes %j for %j', (text, path) => expect(parsePath(text).join('/')).toBe(path));

  it.each(['..', 'a/../..', '/', '/etc', '/workspace/..', '/workspace/../etc', '/workspacex/a', '..\\x', 'a\\..'])(
    'lets %j not out',
    (text) => expect(() => parseFolderPath(text)).toThrow(expect.objectContaining({ code: 'path_outside_workspace' })),
  );

  it.each([
    '',
    '.',
    'a/..',
    '/workspace',
    'a\0',
    '\udc00',
    'x'.repeat(4_097),
    'n'.repeat(256),
    'é'.repeat(128),
    'a/'.repeat(257),
  ])('does not take %j', (text) =>
    expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: 'path_invalid' })),
  );

  it('takes the workspace itself for a folder only', () => {
    for (const text of ['', '.', 'a/..', '/workspace', '/workspace/']) expect(parseFolderPath(text)).toEqual([]);
  });
});
