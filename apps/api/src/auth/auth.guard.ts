import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { AppConfig } from '@scorpio/config';
import type { Request, Response } from 'express';
import {
  RATE_BUCKET,
  ROUTE_ACCESS,
  STREAM_TOKEN,
  type AuthenticatedRequest,
  type RateBucket,
  type RouteAccess,
} from './auth.decorators';
import { routeUndeclared } from './auth.errors';
import { Authenticator } from './authenticator.service';
import { Permissions } from './permissions.service';
import type { Principal } from './principal';
import { RateLimits } from './rate-limits/rate-limits.service';

/**
 * Stands before every route: who it is, then how often, then whether it may. It is the first of the
 * guards, so of a refused request nothing but the headers has been read, and nothing parsed, validated or acted on.
 */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly open: boolean;

  constructor(
    private readonly config: AppConfig,
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly limits: RateLimits,
    private readonly permissions: Permissions,
  ) {
    this.open = config.auth.modes.includes('none');
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const response = context.switchToHttp().getResponse<Response>();
    const access = this.declared<RouteAccess>(ROUTE_ACCESS, context);
    if (!access) throw routeUndeclared([`${request.method} ${templateOf(request)}`]);
    if (access === 'public') return true;
    const streams = this.declared<boolean>(STREAM_TOKEN, context) === true;
    const principal = await this.authenticator.authenticate(request, streams ? access : undefined);
    if (!this.open) this.takeAllowance(principal, request, response, context);
    this.permissions.check(principal, access, `${request.method} ${templateOf(request)}`);
    request.principal = principal;
    return true;
  }

  private takeAllowance(principal: Principal, request: Request, response: Response, context: ExecutionContext): void {
    const bucket = this.declared<RateBucket>(RATE_BUCKET, context) ?? 'general';
    this.limits.take(bucket, principal.tenantId, `${request.method} ${templateOf(request)}`, response);
  }

  private declared<T>(key: string, context: ExecutionContext): T | undefined {
    return this.reflector.getAllAndOverride<T | undefined>(key, [context.getHandler(), context.getClass()]);
  }
}

/** The path of the route as it was declared, so that ids in it do not make it a route of its own. */
const templateOf = (request: Request): string => (request.route as { path: string }).path;
