import { parseArgs } from 'node:util';
import { defaultScopes, ROLES, SCOPES, type Scope } from '../principal';
import type { NewApiKey } from './api-keys.service';

export const KEY_USAGE = `Makes an API key and prints it, this once.

  npm run key:create -- --name <what for> [options]

  --name     what the key is for
  --role     ${ROLES.join(', ')}; default member
  --scopes   separated by commas; default all that go with the role:
             ${SCOPES.join(', ')}
  --tenant   default "default"
  --owner    the subject it acts for, whose objects it reaches; default the name
  --expires  when it stops to be valid, such as 2030-12-31; default never
`;

/** What is wrong with a command line; the message says it in one line. */
export class KeyArgumentsError extends Error {
  override readonly name = 'KeyArgumentsError';
}

/**
 * The key that a command line asks for, or `help`.
 * @throws KeyArgumentsError
 */
export function readKeyArguments(args: string[]): 'help' | { tenantId: string; key: NewApiKey } {
  const values = parse(args);
  if (values.help) return 'help';
  const role = oneOf('role', ROLES, values.role ?? 'member');
  const name = text('name', values.name);
  return {
    tenantId: text('tenant', values.tenant ?? 'default'),
    key: {
      name,
      role,
      scopes: values.scopes === undefined ? defaultScopes(role) : scopesOf(values.scopes),
      ownerId: text('owner', values.owner ?? name),
      ...(values.expires !== undefined && { expiresAt: future(values.expires) }),
    },
  };
}

function parse(args: string[]) {
  const string = { type: 'string' } as const;
  try {
    return parseArgs({
      args,
      options: {
        name: string,
        role: string,
        scopes: string,
        tenant: string,
        owner: string,
        expires: string,
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new KeyArgumentsError((error as Error).message);
  }
}

function text(option: string, value: string | undefined): string {
  const trimmed = value?.trim();
  if (!trimmed || trimmed.length > 100) throw new KeyArgumentsError(`--${option} needs a text of 1 to 100 characters.`);
  return trimmed;
}

function oneOf<T extends string>(option: string, known: readonly T[], value: string): T {
  const found = known.find((item) => item === value);
  if (!found) throw new KeyArgumentsError(`--${option} knows ${known.join(', ')}, not "${value}".`);
  return found;
}

function scopesOf(list: string): Scope[] {
  const names = list.split(',').map((name) => name.trim());
  return [...new Set(names.filter(Boolean).map((name) => oneOf('scopes', SCOPES, name)))];
}

function future(value: string): Date {
  const date = new Date(value);
  if (!(date.getTime() > Date.now()))
    throw new KeyArgumentsError(`--expires needs a date in the future, not "${value}".`);
  return date;
}
