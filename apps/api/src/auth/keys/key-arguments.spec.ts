import { readKeyArguments } from './key-arguments';

describe('the command line of key:create', () => {
  it('needs no more than a name', () => {
    const asked = readKeyArguments(['--name', 'ci']);
    expect(asked).toMatchObject({ tenantId: 'default', key: { name: 'ci', role: 'member', ownerId: 'ci' } });
    expect(asked).toHaveProperty('key.scopes', expect.arrayContaining(['chat', 'sessions:read']));
    expect(asked).not.toHaveProperty('key.scopes', expect.arrayContaining(['keys:admin']));
  });

  it('takes everything that is said', () => {
    const line = '--name ci --scopes chat,sessions:read --role admin --tenant acme --owner ada --expires 2999-01-01';
    expect(readKeyArguments(line.split(' '))).toEqual({
      tenantId: 'acme',
      key: {
        name: 'ci',
        role: 'admin',
        scopes: ['chat', 'sessions:read'],
        ownerId: 'ada',
        expiresAt: new Date('2999-01-01'),
      },
    });
  });

  it('gives an owner every scope', () => {
    expect(readKeyArguments(['--name', 'me', '--role', 'owner'])).toHaveProperty(
      'key.scopes',
      expect.arrayContaining(['keys:admin', 'chat']),
    );
  });

  it('shows the help', () => expect(readKeyArguments(['--help'])).toBe('help'));

  it.each([
    ['', '--name'],
    ['--name', 'name'],
    ['--name x --role king', 'member, admin, owner, not "king"'],
    ['--name x --scopes chat,everything', 'not "everything"'],
    ['--name x --tenant=', '--tenant'],
    ['--name x --expires yesterday', '--expires'],
    ['--name x --expires 2001-01-01', '--expires'],
    ['--name x --what', '--what'],
    ['--name x stray', 'stray'],
  ])('says what is wrong with %p', (line, hint) =>
    expect(() => readKeyArguments(line.split(' ').filter(Boolean))).toThrow(
      expect.objectContaining({ name: 'KeyArgumentsError', message: expect.stringContaining(hint) as string }),
    ),
  );
});
