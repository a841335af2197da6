import { Injectable, RequestMethod, type OnApplicationBootstrap } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ROUTE_ACCESS, type RouteAccess } from './auth.decorators';
import { routeUndeclared } from './auth.errors';

/** One route handler and what it asks of its caller. */
export interface RouteDeclaration {
  /** `GET sessions/:id (SessionsController.get)` */
  name: string;
  access?: RouteAccess;
}

type Handler = (...args: unknown[]) => unknown;

/** Knows every route, and keeps the server from starting with one that does not say who may call it. */
@Injectable()
export class RouteDeclarations implements OnApplicationBootstrap {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  /** All routes of all controllers. */
  list(): RouteDeclaration[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      const prototype = metatype.prototype as Record<string, Handler>;
      return this.scanner
        .getAllMethodNames(prototype)
        .filter((method) => Reflect.hasMetadata(PATH_METADATA, prototype[method]))
        .map((method) => ({
          name: routeName(metatype, prototype[method], method),
          access: this.reflector.getAllAndOverride<RouteAccess | undefined>(ROUTE_ACCESS, [
            prototype[method],
            metatype,
          ]),
        }));
    });
  }

  /** @throws DomainError `route_undeclared` naming each */
  onApplicationBootstrap(): void {
    const undeclared = this.list().filter(({ access }) => access === undefined);
    if (undeclared.length) throw routeUndeclared(undeclared.map(({ name }) => name));
  }
}

function routeName(controller: { name: string }, handler: Handler, method: string): string {
  const verb = RequestMethod[Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod];
  const path = [controller, handler].map((target) =>
    String(Reflect.getMetadata(PATH_METADATA, target)).replace(/^\/|\/$/g, ''),
  );
  return `${verb} /${path.filter(Boolean).join('/')} (${controller.name}.${method})`;
}
