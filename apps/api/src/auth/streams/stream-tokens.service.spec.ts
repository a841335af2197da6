import { loadConfig } from '@scorpio/config';
import type { Principal } from '../principal';
import { StreamTokens } from './stream-tokens.service';

const config = (secret: string) => loadConfig({ SECRET_KEY: secret, NODE_ENV: 'test' });
const tokens = new StreamTokens(config('a'.repeat(32)));
const ada: Principal = { id: 'ada', tenantId: 'acme', role: 'member', scopes: new Set(['chat']) };

describe('StreamTokens', () => {
  it('lets its principal read the run it was made for, for five minutes', () => {
    const { token, expiresAt } = tokens.issue(ada, 'run_1');
    expect(tokens.verify(token, 'run_1')).toEqual({ id: 'ada', tenantId: 'acme', role: 'member' });
    expect(tokens.verify(token, 'run_1', expiresAt.getTime() - 1)).toBeDefined();
    expect(tokens.verify(token, 'run_1', expiresAt.getTime())).toBeUndefined();
    expect(expiresAt.getTime() - Date.now()).toBeLessThanOrEqual(300_000);
    expect(expiresAt.getTime() - Date.now()).toBeGreaterThan(290_000);
  });

  it('is worth nothing for another run', () => {
    expect(tokens.verify(tokens.issue(ada, 'run_1').token, 'run_2')).toBeUndefined();
  });

  it('is worth nothing when it was signed with another secret', () => {
    const foreign = new StreamTokens(config('b'.repeat(32))).issue(ada, 'run_1').token;
    expect(tokens.verify(foreign, 'run_1')).toBeUndefined();
  });

  it('cannot be changed by its holder', () => {
    const { token } = tokens.issue(ada, 'run_1');
    const [body = '', signature = ''] = token.slice('sct_'.length).split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, ownerId: 'eve', role: 'owner' })).toString('base64url');
    expect(tokens.verify(`sct_${forged}.${signature}`, 'run_1')).toBeUndefined();
  });

  it.each(['', 'sct_', 'sct_.', 'sct_e30.x', `sct_${'A'.repeat(9000)}.${'A'.repeat(43)}`])('refuses %.20s', (token) =>
    expect(tokens.verify(token, 'run_1')).toBeUndefined(),
  );
});
