/** Where a principal may do what within its tenant; `admin` and `owner` also see other people's objects there. */
export const ROLES = ['member', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

export const SCOPES = [
  'sessions:read',
  'sessions:write',
  'chat',
  'files:read',
  'files:write',
  'tools:read',
  'tools:execute',
  'models:read',
  'usage:read',
  'mcp:admin',
  'keys:admin',
  'webhooks:admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is asking: the only source of tenant and owner in the product. */
export interface Principal {
  /** Owner id of what it makes: `local`, the subject an API key acts for, or the subject of a token. */
  id: string;
  tenantId: string;
  role: Role;
  scopes: ReadonlySet<Scope>;
  /** The API key it came with, if it did. */
  keyId?: string;
}

/** To whom a new object belongs; every document carries both. */
export interface Owner {
  tenantId: string;
  ownerId: string;
}

/** The filter that every query for a principal's objects carries. Without `ownerId` it spans the tenant. */
export interface Access {
  tenantId: string;
  ownerId?: string;
}

export const ownerOf = (principal: Principal): Owner => ({ tenantId: principal.tenantId, ownerId: principal.id });

/** Members reach their own objects, admins and owners those of their tenant. */
export const accessOf = (principal: Principal): Access =>
  principal.role === 'member' ? ownerOf(principal) : { tenantId: principal.tenantId };

/** Whether a role may do all that the other may. */
export const covers = (role: Role, other: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(other);

/** What a role may do where nothing says otherwise: everything, but nothing that administers for a member. */
export const defaultScopes = (role: Role): Scope[] =>
  SCOPES.filter((scope) => role !== 'member' || !scope.endsWith(':admin'));
