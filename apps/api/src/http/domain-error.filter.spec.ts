import { ForbiddenException, NotFoundException, PayloadTooLargeException } from '@nestjs/common';
import { DomainError, notFound, type ErrorKind } from '@scorpio/kernel';
import { toProblem } from './domain-error.filter';

const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });

describe('toProblem', () => {
  it.each<[ErrorKind, number]>([
    ['invalid', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['not-found', 404],
    ['conflict', 409],
    ['gone', 410],
    ['precondition', 412],
    ['too-large', 413],
    ['unprocessable', 422],
    ['rate-limited', 429],
    ['internal', 500],
    ['unavailable', 503],
  ])('gives %s the status %d', (kind, status) => {
    expect(toProblem(new DomainError(kind, 'some_code', 'Some text.')).status).toBe(status);
  });

  it('passes code, text and details on, and the wait apart from them', () => {
    const error = new DomainError('rate-limited', 'rate_limited', 'Slow down.', {
      field: 'x',
      hint: 'y',
      retryAfter: 3,
    });
    expect(toProblem(error)).toEqual({
      status: 429,
      code: 'rate_limited',
      detail: 'Slow down.',
      retryAfter: 3,
      members: { field: 'x', hint: 'y' },
    });
    expect(toProblem(notFound('session'))).toMatchObject({ status: 404, code: 'session_not_found' });
  });

  it.each([
    ['an unknown error', new Error('connect ECONNREFUSED 10.0.0.7:27017')],
    ['a cast error of the store', named('CastError', 'Cast to ObjectId failed for value "10.0.0.7"')],
    ['a validation error of the store', named('ValidationError', 'sessions validation failed: 10.0.0.7')],
    ['a thrown text', '10.0.0.7'],
    ['nothing', undefined],
  ])('tells nothing of %s', (_name, error) => {
    const problem = toProblem(error);
    expect(problem).toMatchObject({ status: 500, code: 'internal_error' });
    expect(JSON.stringify(problem)).not.toContain('10.0.0.7');
  });

  it('answers 503 while the store is away, without its address', () => {
    for (const name of ['MongoServerSelectionError', 'MongoNetworkTimeoutError', 'MongooseServerSelectionError']) {
      const problem = toProblem(named(name, 'getaddrinfo ENOTFOUND db.internal'));
      expect(problem).toMatchObject({ status: 503, code: 'store_unavailable', retryAfter: 5 });
      expect(JSON.stringify(problem)).not.toContain('db.internal');
    }
  });

  it('speaks for the framework in its own words', () => {
    expect(toProblem(new NotFoundException('Cannot GET /x?token=secret'))).toMatchObject({ code: 'route_not_found' });
    expect(JSON.stringify(toProblem(new NotFoundException('Cannot GET /x?token=secret')))).not.toContain('secret');
    expect(toProblem(new PayloadTooLargeException())).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(toProblem(new ForbiddenException())).toMatchObject({ status: 403, code: 'forbidden' });
    expect(toProblem(Object.assign(new URIError('bad'), { status: 400, expose: true }))).toMatchObject({ status: 400 });
  });
});
