import { principalOfToken } from './token-principal';

const oidc = {
  issuer: 'https://id.example',
  audience: 'scorpio',
  tenantClaim: 'tenant',
  roleClaim: 'role',
  tenants: ['acme', 'other'],
};
const of = (claims: Record<string, unknown>) => principalOfToken({ sub: 'ada', ...claims }, oidc);

describe('principalOfToken', () => {
  it('takes subject, tenant and role from the claims', () => {
    expect(of({ tenant: 'other', role: 'admin' })).toMatchObject({ id: 'ada', tenantId: 'other', role: 'admin' });
  });

  it('puts a token without a tenant into the first, and one without a known role among the members', () => {
    expect(of({ role: 'emperor' })).toMatchObject({ tenantId: 'acme', role: 'member' });
  });

  it('takes the highest of several roles', () => expect(of({ role: ['member', 'owner', 'x'] }).role).toBe('owner'));

  it.each(['nope', '', 5, ['acme'], { a: 1 }])('refuses the tenant %p', (tenant) =>
    expect(() => of({ tenant })).toThrow(expect.objectContaining({ code: 'tenant_unknown' })),
  );

  it('does not find claims on the prototype', () => {
    expect(() => principalOfToken({ sub: 'a' }, { ...oidc, tenantClaim: 'constructor' })).not.toThrow();
  });

  it('gives members all but administration, and admins everything', () => {
    expect(of({}).scopes).toContain('chat');
    expect(of({}).scopes).not.toContain('keys:admin');
    expect(of({ role: 'admin' }).scopes).toContain('keys:admin');
  });

  it('keeps to the scopes of a token that names some, and knows none beyond its own', () => {
    expect([...of({ scope: 'openid chat root' }).scopes]).toEqual(['chat']);
    expect([...of({ scope: 'something:else' }).scopes]).toEqual([]);
  });

  it('does not take the scopes of OpenID Connect itself for a limit', () => {
    expect(of({ scope: 'openid profile email' }).scopes).toContain('chat');
  });
});
