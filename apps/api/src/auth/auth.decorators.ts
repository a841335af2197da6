import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import { ApiExtension, ApiSecurity } from '@nestjs/swagger';
import type { Request } from 'express';
import { DomainError } from '@scorpio/kernel';
import type { Principal, Scope } from './principal';

/** Names of the security schemes in the OpenAPI document. */
export const BEARER_SCHEME = 'bearer';
export const API_KEY_SCHEME = 'apiKey';
export const STREAM_TOKEN_SCHEME = 'streamToken';

/** What a route asks of its caller: nothing, or a principal with all of the scopes. */
export type RouteAccess = 'public' | readonly Scope[];
/** Which allowance a route draws on. */
export type RateBucket = 'general' | 'chat';

export const ROUTE_ACCESS = 'scorpio:access';
export const RATE_BUCKET = 'scorpio:rate-bucket';
export const STREAM_TOKEN = 'scorpio:stream-token';

/** A request after the guard let it pass; `principal` is absent on public routes. */
export interface AuthenticatedRequest extends Request {
  principal?: Principal;
}

/** The route answers anyone. */
export const Public = (): MethodDecorator & ClassDecorator => SetMetadata(ROUTE_ACCESS, 'public' satisfies RouteAccess);

/** The route needs a principal that has all of these scopes; with none given, any principal. On a class: the default of its routes. */
export const Scopes = (...scopes: Scope[]): MethodDecorator & ClassDecorator =>
  applyDecorators(
    SetMetadata(ROUTE_ACCESS, scopes satisfies RouteAccess),
    ApiSecurity(BEARER_SCHEME),
    ApiSecurity(API_KEY_SCHEME),
    ApiExtension('x-scopes', scopes),
  );

/** The route draws on this allowance instead of `general`. */
export const RateLimit = (bucket: RateBucket): MethodDecorator & ClassDecorator => SetMetadata(RATE_BUCKET, bucket);

/** `?token=` with a stream token of the run in the route's `:runId` stands in for credentials (browsers' EventSource sends no headers). */
export const AcceptsStreamToken = (): MethodDecorator =>
  applyDecorators(SetMetadata(STREAM_TOKEN, true), ApiSecurity(STREAM_TOKEN_SCHEME));

/** The caller, in a handler of a route with `@Scopes`. */
export const CurrentPrincipal = createParamDecorator((_data: unknown, context: ExecutionContext): Principal => {
  const { principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!principal) throw new DomainError('internal', 'principal_missing', 'A public route asked for a principal.');
  return principal;
});
