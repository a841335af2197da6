import type { Request } from 'express';
import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common';
import { DomainError, isId } from '@scorpio/kernel';
import { addLogContext } from '@scorpio/observability';
import { BODY_LIMIT, type BodyLimits } from './body-limit.decorator';
import { refuseForbiddenKeys } from './forbidden-keys';
import { READS_OWN_BODY } from './reads-own-body.decorator';
import { readJsonBody } from './request-body';

/**
 * Reads and checks a request's query and body. An interceptor, because those come after the guards and before the pipes:
 * nothing of a caller without credentials is read or parsed.
 */
export class InputInterceptor implements NestInterceptor {
  constructor(private readonly config: BodyLimits) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<ReturnType<CallHandler['handle']>> {
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
    return next.handle();
  }
}
