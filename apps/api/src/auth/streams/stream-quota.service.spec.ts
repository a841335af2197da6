import { loadConfig } from '@scorpio/config';
import type { Principal } from '../principal';
import { StreamQuota } from './stream-quota.service';

const config = (streams: number) => loadConfig({ SECRET_KEY: 'a'.repeat(32), MAX_STREAMS: String(streams) });
const principal = (id: string, tenantId = 'acme'): Principal => ({ id, tenantId, role: 'member', scopes: new Set() });

describe('StreamQuota', () => {
  it('refuses a stream beyond the limit and gives the place of one that ended to the next', () => {
    const quota = new StreamQuota(config(2));
    const leave = quota.enter(principal('ada'));
    quota.enter(principal('ada'));
    expect(() => quota.enter(principal('ada'))).toThrow(expect.objectContaining({ code: 'too_many_streams' }));
    leave();
    quota.enter(principal('ada'));
    expect(() => quota.enter(principal('ada'))).toThrow();
  });

  it('counts each principal for itself, also those of the same name in two tenants', () => {
    const quota = new StreamQuota(config(1));
    quota.enter(principal('ada'));
    quota.enter(principal('bob'));
    quota.enter(principal('ada', 'other'));
    expect(() => quota.enter(principal('bob'))).toThrow();
  });

  it('gives a place back once, however often a stream says that it ended', () => {
    const quota = new StreamQuota(config(2));
    const leave = quota.enter(principal('ada'));
    quota.enter(principal('ada'));
    leave();
    leave();
    quota.enter(principal('ada'));
    expect(() => quota.enter(principal('ada'))).toThrow();
  });

  it('counts nothing where the limit is 0', () => {
    const quota = new StreamQuota(config(0));
    for (let n = 0; n < 1000; n++) quota.enter(principal('ada'));
  });
});
