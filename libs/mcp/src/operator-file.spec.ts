import { isId } from '@scorpio/kernel';
import { operatorServerId, readOperatorFile } from './operator-file';

const read = (mcpServers: object, variables = {}) => readOperatorFile(JSON.stringify({ mcpServers }), variables);

describe('readOperatorFile', () => {
  it('reads programs and addresses in the form that others share', () => {
    const { servers, faults } = read({
      files: { command: 'npx', args: ['-y', 'server'], env: { A: 'b' }, cwd: '/tmp' },
      typed: { type: 'stdio', command: 'server' },
      web: { url: 'https://mcp.example/mcp', headers: { 'X-Key': 'k' }, trusted: true },
      old: { type: 'sse', url: 'https://mcp.example/sse' },
      other: { type: 'streamable-http', url: 'https://mcp.example/mcp' },
      off: { command: 'x', disabled: true },
    });
    expect(faults).toEqual([]);
    expect(servers.map(({ name, trusted, target }) => ({ name, trusted, ...target }))).toEqual([
      {
        name: 'files',
        trusted: false,
        type: 'stdio',
        command: 'npx',
        args: ['-y', 'server'],
        env: { A: 'b' },
        cwd: '/tmp',
      },
      { name: 'typed', trusted: false, type: 'stdio', command: 'server', args: [], env: {}, cwd: undefined },
      { name: 'web', trusted: true, type: 'http', url: 'https://mcp.example/mcp', headers: { 'X-Key': 'k' } },
      { name: 'old', trusted: false, type: 'sse', url: 'https://mcp.example/sse', headers: {} },
      { name: 'other', trusted: false, type: 'http', url: 'https://mcp.example/mcp', headers: {} },
    ]);
  });

  it('puts in variables that it is given, and no others', () => {
    const { servers, faults } = read(
      {
        good: { command: 'x', args: ['--key=${KEY}', '${MISSING:-default}'], env: { K: '${KEY}' } },
        bad: { command: 'x', env: { K: '${SECRET_KEY}' } },
        odd: { command: 'x', env: { K: '${constructor}' } },
      },
      { KEY: 'v' },
    );
    expect(servers.map(({ target }) => target)).toEqual([
      { type: 'stdio', command: 'x', args: ['--key=v', 'default'], env: { K: 'v' }, cwd: undefined },
    ]);
    expect(faults.map(({ name }) => name)).toEqual(['bad', 'odd']);
    expect(faults[0]?.message).toBe('${SECRET_KEY} is not set, or not named in MCP_ENV');
  });

  it('keeps a fault to its entry', () => {
    const { servers, faults } = read({
      none: {},
      wrong: { command: 7 },
      scheme: { url: 'ftp://mcp.example/' },
      good: { command: 'x' },
    });
    expect(servers.map(({ name }) => name)).toEqual(['good']);
    expect(faults.map(({ name }) => name)).toEqual(['none', 'wrong', 'scheme']);
  });

  it.each(['', 'nonsense', '[]', '{}', '{"mcpServers": []}', '{"servers": {}}'])('refuses %j as a whole', (json) => {
    expect(() => readOperatorFile(json, {})).toThrow(/mcpServers/);
  });

  it('gives a server the same id each time, and another version when it is another', () => {
    const [first] = read({ a: { command: 'x' } }).servers;
    const [same] = read({ a: { command: 'x' } }).servers;
    const [other] = read({ a: { command: 'y' } }).servers;
    expect(isId('mcp', first?.id)).toBe(true);
    expect({ ...same }).toEqual({ ...first });
    expect(other?.id).toBe(first?.id);
    expect(other?.version).not.toBe(first?.version);
    expect(operatorServerId('b')).not.toBe(first?.id);
  });
});
