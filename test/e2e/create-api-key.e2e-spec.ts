import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { resolve } from 'node:path';
import { AuthServer } from '../support/auth-server';
import { tempDir } from '../support/temp-dir';

const BIN = resolve(__dirname, '../../dist/apps/api/src/bin/create-api-key.js');
const folder = tempDir();
const env = { DATA_DIR: folder, AUTH_MODE: 'apikey', SECRET_KEY: 'c'.repeat(40) };

/** The built command, as `npm run key:create -- …` runs it; in a folder without `.env`. */
const createKey = (line: string, extra: Record<string, string> = {}): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [BIN, ...line.split(' ').filter(Boolean)], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env, ...extra },
    encoding: 'utf8',
  });

describe('key:create', () => {
  let server: AuthServer;
  beforeAll(async () => (server = await AuthServer.start(env)));
  afterAll(() => server.close());

  it('makes a key beside a running server, which takes it at once', async () => {
    const made = createKey('--name ci --scopes models:read --role admin --tenant acme --owner ada');
    expect(made).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sco_\w+\n$/) as string });
    const { body } = await server.ask('/whoami', { key: made.stdout.trim() });
    expect(body).toMatchObject({ id: 'ada', tenantId: 'acme', role: 'admin', scopes: ['models:read'] });
    expect(made.stderr).not.toContain(made.stdout.trim());
  });

  it('says in one line what is wrong with the command, and prints no key', () => {
    const refused = createKey('--name ci --role king');
    expect(refused).toMatchObject({ status: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^--role knows member, admin, owner, not "king"\.\n/);
  });

  it('says what is wrong with the configuration, without a stack', () => {
    const refused = createKey('--name ci', { SECRET_KEY: 'short' });
    expect(refused).toMatchObject({ status: 1, stdout: '' });
    expect(refused.stderr).toMatch(/SECRET_KEY: must have 32 characters/);
    expect(refused.stderr).not.toMatch(/\n +at /);
  });
});
