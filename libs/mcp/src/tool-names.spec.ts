import fc from 'fast-check';
import { otherToolName, toolName } from './tool-names';

describe('toolName', () => {
  it('joins names that every vendor takes', () => {
    expect(toolName('github', 'create_issue')).toBe('github__create_issue');
    expect(toolName('github', 'a__b')).toBe('github__a__b');
  });

  it('marks what it had to change, so that two tools never share a name', () => {
    const names = [
      toolName('my server', 'x'),
      toolName('my_server', 'x'),
      toolName('my', 'server__x'),
      toolName('a', 'x y'),
      toolName('a', 'x_y'),
      toolName('a', 'x-y'),
      toolName('a', 'x/y'),
      toolName('', 'x'),
      toolName('日本', 'x'),
      toolName('3d', 'x'),
      otherToolName('mcp_1', 'a', 'x_y'),
      otherToolName('mcp_2', 'a', 'x_y'),
    ];
    expect(new Set(names).size).toBe(names.length);
  });

  it('is of 64 characters at most, begins with a letter, and is the same each time', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.string({ maxLength: 200 }), (server, tool) => {
        const name = toolName(server, tool);
        return /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(name) && name === toolName(server, tool);
      }),
    );
  });

  it('is another for any other server or tool', () => {
    const text = fc.string({ maxLength: 40, unit: fc.constantFrom('a', 'b', '_', '-', ' ', 'ü') });
    fc.assert(
      fc.property(
        text,
        text,
        text,
        text,
        (s1, t1, s2, t2) => (s1 === s2 && t1 === t2) || toolName(s1, t1) !== toolName(s2, t2),
      ),
      { numRuns: 2_000 },
    );
  });
});
