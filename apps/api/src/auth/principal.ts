/** Where a principal may do what within its tenant; `admin` and `owner` also see other people's objects there. */
export type Role = 'owner' | 'admin' | 'member';

export const SCOPES = [
  'sessions:read',
  'sessions:write',
  'chat',
  'files:read',
  'files:write',
  'tools:read',
  'tools:execute',
  'models:read',
  'mcp:admin',
  'keys:admin',
  'webhooks:admin',
] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is asking: the only source of tenant and owner in the product. */
export interface Principal {
  /** Owner id of what it makes: `local`, `key_…`, or the subject of a token. */
  id: string;
  tenantId: string;
  role: Role;
  scopes: ReadonlySet<Scope>;
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
