import { EnvError } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import { redact } from '@scorpio/observability';

type ListenError = NodeJS.ErrnoException & { port?: number; address?: string; hostname?: string };

/** What to tell the operator when the server cannot start: one clear line, and a stack only for what nobody foresaw. */
export function bootFault(error: unknown): string {
  if (error instanceof EnvError) return error.message;
  if (error instanceof DomainError) return redact([error.message, error.details.hint].filter(Boolean).join(' '));
  const { code, port, address, hostname, message, stack } = error as ListenError;
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${address} is in use. Stop the other program, or choose another port: PORT=${Number(port) + 1} npm start`;
  if (code === 'EACCES' && port !== undefined)
    return `Port ${port} on ${address} must not be opened by this user. Choose one above 1023: PORT=8000 npm start`;
  if (code === 'EACCES') return redact(`No permission: ${message}`);
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST=${address ?? hostname} is no address of this machine. Set HOST to one that is, such as 127.0.0.1.`;
  return redact(`The server could not start: ${stack ?? String(error)}`);
}
