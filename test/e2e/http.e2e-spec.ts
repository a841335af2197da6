import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { ConfigModule, loadConfig } from '@scorpio/config';
import { APP_OPTIONS, configureApp } from '../../apps/api/src/http/configure-app';
import { ApiClient } from '../support/api-client';
import { NotesController } from '../support/notes.controller';

const ORIGIN = 'http://localhost:5173';
const LIMIT = 64 * 1024;
const GOOD = { message: { parts: [{ text: 'hi' }] } };

describe('HTTP', () => {
  let app: NestExpressApplication;
  let api: ApiClient;
  let port: number;

  beforeAll(async () => {
    const config = loadConfig({
      NODE_ENV: 'test',
      SECRET_KEY: 'k'.repeat(40),
      BODY_LIMIT: String(LIMIT),
      HEADERS_TIMEOUT_MS: '1000',
      REQUEST_TIMEOUT_MS: '3000',
      CORS_ORIGINS: `${ORIGIN},https://app.example`,
      API_DOCS: 'false',
    });
    const testing = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(config)],
      controllers: [NotesController],
    }).compile();
    app = testing.createNestApplication<NestExpressApplication>({ ...APP_OPTIONS, logger: false });
    configureApp(app, config);
    await app.listen(0, '127.0.0.1');
    port = (app.getHttpServer().address() as AddressInfo).port;
    api = new ApiClient(`http://127.0.0.1:${port}/api/v1`);
  });
  afterAll(() => app.close());
  beforeEach(() => (NotesController.taken = []));

  const send = (body: RequestInit['body'], headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${api.baseUrl}/notes`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body instanceof ReadableStream && { duplex: 'half' }),
    });
  const codeOf = async (answer: Promise<Response>): Promise<[number, unknown]> => {
    const response = await answer;
    return [response.status, ((await response.json()) as { code?: string }).code];
  };
  /** Everything the server says to these bytes, until it closes the connection. */
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (chunk) => (answer += chunk.toString()));
      socket.on('close', () => resolve(answer)).on('error', reject);
    });

  it.each(['/api/v1/notes', '/api/docs', '/api/openapi.json', '/nowhere', '/health'])(
    'answers %s to no foreign host while authentication is off [A6]',
    async (path) => {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).toContain('"code":"host_not_allowed"');
    },
  );

  describe('[O1] bodies', () => {
    it('takes JSON, plain and compressed', async () => {
      const text = JSON.stringify(GOOD);
      expect((await send(text)).status).toBe(201);
      expect((await send(text, { 'content-type': 'application/merge-patch+json; charset=UTF-8' })).status).toBe(201);
      expect((await send(gzipSync(text), { 'content-encoding': 'gzip' })).status).toBe(201);
      expect((await send(deflateSync(text), { 'content-encoding': 'deflate' })).status).toBe(201);
      expect((await send(brotliCompressSync(text), { 'content-encoding': 'br' })).status).toBe(201);
      expect(NotesController.taken).toHaveLength(5);
    });

    it.each([
      ['text that is no JSON', '{"message":', {}, 400, 'malformed_json'],
      ['bytes that are no UTF-8', Buffer.from('{"message":"\xff"}', 'latin1'), {}, 400, 'malformed_json'],
      ['what does not inflate', 'plain', { 'content-encoding': 'gzip' }, 400, 'malformed_json'],
      ['a list', '[{"message":{"parts":[]}}]', {}, 400, 'validation_failed'],
      ['a bare value', '"hi"', {}, 400, 'validation_failed'],
      ['null', 'null', {}, 400, 'validation_failed'],
      ['a form', 'a=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'unsupported_media_type'],
      ['text', 'hi', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
      ['another charset', '{}', { 'content-type': 'application/json; charset=utf-16' }, 415, 'unsupported_media_type'],
      ['another encoding', '{}', { 'content-encoding': 'compress' }, 415, 'unsupported_media_type'],
      ['an encoding named as a prototype', '{}', { 'content-encoding': 'constructor' }, 415, 'unsupported_media_type'],
    ])('refuses %s', async (_name, body, headers, status, code) => {
      expect(await codeOf(send(body, headers as Record<string, string>))).toEqual([status, code]);
      expect(NotesController.taken).toEqual([]);
    });

    it('says what a body must be', async () => {
      for (const text of ['[]', '"hi"', 'null']) {
        const { detail } = (await (await send(text)).json()) as { detail: string };
        expect(detail).toBe('The body must be a JSON object.');
      }
    });

    it('does not repeat the text around a fault of syntax', async () => {
      expect(await (await send('{"key": planted-secret}')).text()).not.toContain('planted');
    });

    it('refuses what is too large: declared, streamed, or once inflated', async () => {
      const large = JSON.stringify({ message: { parts: [{ text: 'x'.repeat(LIMIT) }] } });
      expect(await codeOf(send(large))).toEqual([413, 'body_too_large']);
      expect(await codeOf(send(new Blob([large]).stream()))).toEqual([413, 'body_too_large']);
      const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
      expect(bomb.length).toBeLessThan(LIMIT);
      expect(await codeOf(send(bomb, { 'content-encoding': 'gzip' }))).toEqual([413, 'body_too_large']);
      expect(NotesController.taken).toEqual([]);
    });

    it('answers at the limit, not when the sender has had enough', async () => {
      const head =
        'POST /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
      const block = `${(LIMIT + 1).toString(16)}\r\n${'x'.repeat(LIMIT + 1)}\r\n`;
      expect(await raw(head + block)).toMatch(/^HTTP\/1\.1 413 /);
    });

    it('needs no body where a route takes none', async () => {
      expect((await api.post('/notes/poke')).status).toBe(200);
      expect((await api.ask('POST', '/notes/poke', '', { 'content-type': 'text/plain' })).status).toBe(200);
    });

    it('gives up on headers and bodies that do not arrive', async () => {
      const [headers, body] = await Promise.all([
        raw('GET /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nX-Slow:'),
        raw(
          'POST /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
        ),
      ]);
      expect(headers).toMatch(/^HTTP\/1\.1 408 /);
      expect(body).toMatch(/^HTTP\/1\.1 408 /);
    });
  });

  describe('validation (S2, T3, T4)', () => {
    it('names the field by its whole path, and every fault', async () => {
      const { status, body } = await api.post('/notes', {
        message: { parts: [{ text: 'ok' }, { url: 'nowhere', text: 7 }] },
      });
      expect(status).toBe(400);
      expect(body).toMatchObject({ code: 'validation_failed', field: 'message.parts[1].text' });
      expect(body.errors.map((error: { field: string }) => error.field)).toEqual([
        'message.parts[1].text',
        'message.parts[1].url',
      ]);
    });

    it.each(['ownerId', 'tenantId', 'createdAt', 'status', 'id'])('refuses the unknown field %s', async (field) => {
      const { status, body } = await api.post('/notes', { ...GOOD, [field]: 'mine' });
      expect([status, body.code, body.field]).toEqual([400, 'validation_failed', field]);
    });

    it.each([
      ['{"message":{"parts":[]},"__proto__":{"polluted":true}}', '__proto__'],
      ['{"message":{"parts":[]},"metadata":{"__proto__":{"polluted":true}}}', 'metadata.__proto__'],
      ['{"message":{"parts":[]},"metadata":{"constructor":{"prototype":{"polluted":true}}}}', 'metadata.constructor'],
      ['{"message":{"$ne":null}}', 'message.$ne'],
      ['{"message":{"parts":[]},"metadata":{"a":{"$where":"1"}}}', 'metadata.a.$where'],
    ])('refuses %s', async (text, field) => {
      const { status, body } = await api.ask('POST', '/notes', text);
      expect([status, body.code, body.field]).toEqual([400, 'validation_failed', field]);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
      expect(NotesController.taken).toEqual([]);
    });

    it.each([
      'limit=0',
      'limit=101',
      'limit=1e9',
      'limit=-1',
      'limit=NaN',
      'limit=',
      'limit=5&limit=6',
      'limit[$gt]=1',
      'limit=0x10',
      'cursor[a]=b',
      'unknown=1',
      'metadata[$ne]=1',
      'metadata[__proto__]=1',
      '__proto__[a]=1',
    ])('refuses the query %s', async (query) => {
      const { status, body } = await api.get(`/notes?${query}`);
      expect([status, body.code]).toEqual([400, 'validation_failed']);
      expect(body.field).toBe(query.split('=')[0]?.replace(/^(limit|cursor)\[[a]\]$/, '$1'));
    });

    it('reads pages and filters', async () => {
      const { body } = await api.get('/notes?limit=5&cursor=abc&metadata[project]=x%26y');
      expect(body).toEqual({ limit: 5, cursor: 'abc', metadata: { project: 'x&y' } });
      expect((await api.get('/notes')).body).toEqual({ limit: 20 });
    });
  });

  describe('errors', () => {
    it('come as problems, with the id of the request', async () => {
      const { status, headers, body } = await api.get('/notes/failures/other', { 'x-request-id': 'trace-1' });
      expect(status).toBe(404);
      expect(headers.get('content-type')).toBe('application/problem+json');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(body).toEqual({
        type: 'urn:scorpio:error:note_not_found',
        title: 'Not Found',
        status: 404,
        detail: 'No such note.',
        code: 'note_not_found',
        requestId: 'trace-1',
      });
    });

    it('say when to come back', async () => {
      const { status, headers, body } = await api.get('/notes/failures/wait');
      expect([status, headers.get('retry-after'), body.hint]).toEqual([503, '2', 'Wait.']);
      expect(body).not.toHaveProperty('retryAfter');
    });

    it('tell nothing of an unknown cause', async () => {
      const { status, text, body } = await api.get('/notes/failures/unknown');
      expect([status, body.code]).toEqual([500, 'internal_error']);
      expect(text).not.toMatch(/27017|planted|stack|\.ts/);
    });

    it.each([
      ['GET', '/api/v1/nothing'],
      ['DELETE', '/api/v1/notes'],
      ['GET', '/nothing/here.php?token=planted'],
      ['POST', '/'],
      ['GET', '/api/docs'],
      ['GET', '/api/openapi.json'],
    ])('are 404 for %s %s', async (method, path) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
      const text = await response.text();
      expect(response.status).toBe(404);
      expect(response.headers.get('content-type')).toBe('application/problem+json');
      expect(JSON.parse(text)).toMatchObject({ code: 'route_not_found' });
      expect(text).not.toContain('planted');
    });

    it('are problems for paths that cannot be decoded', async () => {
      const { status, body } = await api.get('/notes/failures/%E0%A4%A');
      expect([status, body.code]).toEqual([400, 'bad_request']);
    });
  });

  describe('headers', () => {
    it('carry the caller’s request id, or a new one where it is not fit for a header or a log', async () => {
      const idFor = async (id: string): Promise<string | null> =>
        (await api.get('/notes', { 'x-request-id': id })).headers.get('x-request-id');
      expect(await idFor('abc-123_DEF.4')).toBe('abc-123_DEF.4');
      for (const bad of ['', 'a b', 'a"b', 'ü', 'x'.repeat(129), '{"a":1}']) expect(await idFor(bad)).toMatch(/^req_/);
      expect(await idFor('')).not.toBe(await idFor(''));
    });

    it('cannot be added by a request id', async () => {
      const answer = await raw(
        'GET /api/v1/notes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: a\rSet-Cookie: b=c\r\n\r\n',
      );
      expect(answer).not.toMatch(/set-cookie/i);
    });

    it('protect browsers and do not name the framework', async () => {
      const { headers } = await api.get('/notes');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      expect(headers.get('x-powered-by')).toBeNull();
    });

    it('let the configured origins in, exactly [A5]', async () => {
      const preflight = (origin: string): Promise<Response> =>
        fetch(`${api.baseUrl}/notes`, {
          method: 'OPTIONS',
          headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key' },
        });
      const allowed = await preflight(ORIGIN);
      expect(allowed.status).toBe(204);
      expect(allowed.headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(allowed.headers.get('access-control-allow-headers')).toBe('x-api-key');
      expect(allowed.headers.get('vary')).toContain('Origin');
      const { headers } = await api.get('/notes', { origin: 'https://app.example' });
      expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
      for (const name of ['X-Run-Id', 'X-Session-Id', 'X-Request-Id', 'Retry-After'])
        expect(headers.get('access-control-expose-headers')).toContain(name);
    });

    it.each([
      'http://evil.example',
      'null',
      'http://evil-localhost:5173',
      'http://localhost:51730',
      'https://app.example.evil.example',
      'http://LOCALHOST:5173',
      'http://localhost:5173/',
    ])('let no page of %s in (A5)', async (origin) => {
      for (const method of ['OPTIONS', 'GET']) {
        const response = await fetch(`${api.baseUrl}/notes`, {
          method,
          headers: { origin, 'access-control-request-method': 'GET' },
        });
        expect(response.headers.get('access-control-allow-origin')).toBeNull();
      }
    });
  });

  describe('streams', () => {
    it('answer a fault before the first frame as a problem', async () => {
      const { status, headers, body } = await api.get('/notes/streams/fails-at-once');
      expect([status, headers.get('content-type')]).toEqual([404, 'application/problem+json']);
      expect(body.code).toBe('note_not_found');
    });

    it('break off after a later fault, so that half an answer does not look whole', async () => {
      const response = await fetch(`${api.baseUrl}/notes/streams/fails-later`);
      expect(response.status).toBe(200);
      await expect(response.text()).rejects.toThrow();
    });

    it('hear at once that their client has gone', async () => {
      const controller = new AbortController();
      const opened = once(NotesController.opened, 'left');
      const response = await fetch(`${api.baseUrl}/notes/streams/left`, { signal: controller.signal });
      await response.body?.getReader().read();
      const [signal] = (await opened) as [AbortSignal];
      expect(signal.aborted).toBe(false);
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
      controller.abort();
      await aborted;
    });

    it('hear it too while they wait behind another answer on the same connection', async () => {
      const ask = (name: string): string => `GET /api/v1/notes/streams/${name} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const opened = once(NotesController.opened, 'second');
      const socket = connect(port, '127.0.0.1', () => socket.write(ask('first') + ask('second')));
      const [signal] = (await opened) as [AbortSignal];
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
      socket.destroy();
      await aborted;
    });
  });
});
