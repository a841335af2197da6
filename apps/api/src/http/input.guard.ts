import type { Request } from 'express';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { DomainError, isId } from '@scorpio/kernel';
import { addLogContext } from '@scorpio/observability';
import { BODY_LIMIT, type BodyLimits } from './body-limit.decorator';
import { refuseForbiddenKeys } from './forbidden-keys';
import { READS_OWN_BODY } from './reads-own-body.decorator';
import { readJsonBody } from './request-body';

/**
 * Reads and checks a request's query and body. A guard, since those run before the pipes: it is the last of the global
 * ones, so nothing of a caller without credentials is read or parsed. As an interceptor it would cost every request RxJS.
 */
export class InputGuard implements CanActivate {
  constructor(private readonly config: BodyLimits) {}

  async canActivate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<Request>();
    for (const id of Object.values(request.params)) {
      if (isId('ses', id)) addLogContext({ sessionId: id });
      if (isId('run', id)) addLogContext({ runId: id });
    }
    // Express parses the query at each look, and the parser refuses what must not be in it.
    void request.query;
    const readsItself = Reflect.getMetadata(READS_OWN_BODY, context.getHandler()) === true;
    if (request.method !== 'GET' && request.method !== 'HEAD' && !readsItself) {
      const limit =
        (Reflect.getMetadata(BODY_LIMIT, context.getHandler()) as keyof BodyLimits | undefined) ?? 'bodyLimit';
      const body = await readJsonBody(request, this.config[limit]);
      if (body !== undefined && (body === null || typeof body !== 'object' || Array.isArray(body)))
        throw new DomainError('invalid', 'validation_failed', 'The body must be a JSON object.', { field: 'body' });
      refuseForbiddenKeys(body);
      request.body = body;
    }
    return true;
  }
}
