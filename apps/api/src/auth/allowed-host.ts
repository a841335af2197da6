import type { NextFunction, Request, Response } from 'express';
import type { AppConfig } from '@scorpio/config';
import { hostNotAllowed } from './auth.errors';

const LOOPBACK = /^(localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/i;

/**
 * Whether a `Host` header names this machine itself, or one of the allowed names (any port).
 * While authentication is off, this is what keeps a web page from reaching the server by a name of its own
 * that it points at 127.0.0.1 (DNS rebinding).
 */
export function isAllowedHost(header: string | undefined, allowed: readonly string[]): boolean {
  const [, name] = /^(\[[0-9a-f:.]+\]|[^:\s/]+)(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  if (name === undefined) return false;
  return LOOPBACK.test(name) || allowed.some((host) => host.toLowerCase() === name.toLowerCase());
}

/** Middleware before everything, documents and unknown paths included: while authentication is off, only allowed hosts are answered. */
export function hostCheck(config: AppConfig): (request: Request, response: Response, next: NextFunction) => void {
  const open = config.auth.modes.includes('none');
  return (request, _response, next) =>
    next(open && !isAllowedHost(request.headers.host, config.auth.allowedHosts) ? hostNotAllowed() : undefined);
}
