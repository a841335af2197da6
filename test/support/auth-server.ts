import { request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Body, Controller, Get, Header, HttpCode, Param, Post, type LoggerService, type Type } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { IsString } from 'class-validator';
import { ConfigModule, loadConfig } from '@scorpio/config';
import { PersistenceModule } from '@scorpio/persistence';
import {
  AcceptsStreamToken,
  CurrentPrincipal,
  Public,
  RateLimit,
  Scopes,
} from '../../apps/api/src/auth/auth.decorators';
import { AuthModule } from '../../apps/api/src/auth/auth.module';
import type { Principal } from '../../apps/api/src/auth/principal';
import { StreamTokens } from '../../apps/api/src/auth/streams/stream-tokens.service';
import { APP_OPTIONS, configureApp } from '../../apps/api/src/http/configure-app';

class EchoDto {
  @IsString()
  text: string;
}

/** Says who the caller is: the least of an API, so that access can be tested apart from what is accessed. */
@Controller()
export class ProbeController {
  /** Bodies that reached a handler. */
  static handled: string[] = [];

  constructor(private readonly streamTokens: StreamTokens) {}

  @Public()
  @Get('open')
  open(): { open: boolean } {
    return { open: true };
  }

  @Scopes('models:read')
  @Get('whoami')
  whoami(@CurrentPrincipal() principal: Principal): object {
    return { ...principal, scopes: [...principal.scopes] };
  }

  @Scopes('models:read')
  @Get('things/:id')
  thing(@Param('id') id: string): { id: string } {
    return { id };
  }

  @Scopes('chat')
  @RateLimit('chat')
  @HttpCode(200)
  @Post('echo')
  echo(@Body() { text }: EchoDto): { text: string } {
    ProbeController.handled.push(text);
    return { text };
  }

  @Scopes('sessions:read')
  @HttpCode(200)
  @Post('runs/:runId/stream-token')
  issue(@CurrentPrincipal() principal: Principal, @Param('runId') runId: string): { token: string; expiresAt: Date } {
    return this.streamTokens.issue(principal, runId);
  }

  @Scopes('sessions:read')
  @AcceptsStreamToken()
  @Header('cache-control', 'no-store')
  @Get('runs/:runId/events')
  events(@CurrentPrincipal() principal: Principal): object {
    return this.whoami(principal);
  }

  @Scopes('sessions:read')
  @Get('runs/:runId')
  run(@CurrentPrincipal() principal: Principal): object {
    return this.whoami(principal);
  }
}

/** Keeps all that is logged, as text. */
class LogKeeper implements LoggerService {
  readonly lines: string[] = [];
  log = (...parts: unknown[]): void => void this.lines.push(JSON.stringify(parts));
  error = this.log;
  warn = this.log;
  debug = this.log;
  verbose = this.log;
  fatal = this.log;
}

/** An answer, read to its end. */
export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
  body: Record<string, unknown>;
}
export interface Ask {
  method?: string;
  headers?: Record<string, string>;
  key?: string;
  body?: unknown;
  /** The address the request comes from; the loopback network has many. */
  from?: string;
}

/** A running application of the guard, the key routes and the probe. */
export class AuthServer {
  private constructor(
    readonly app: NestExpressApplication,
    readonly port: number,
    readonly logs: string[],
  ) {}

  /** @param env variables beside those of every test */
  static async start(env: Record<string, string>, controllers: Type[] = [ProbeController]): Promise<AuthServer> {
    const config = loadConfig({ NODE_ENV: 'test', SECRET_KEY: 'k'.repeat(40), PORT: '0', ...env });
    const keeper = new LogKeeper();
    const testing = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(config), PersistenceModule.forRoot(), AuthModule],
      controllers,
    })
      .setLogger(keeper)
      .compile();
    const app = testing.createNestApplication<NestExpressApplication>({
      ...APP_OPTIONS,
      bufferLogs: false,
      logger: keeper,
    });
    configureApp(app, config);
    try {
      await app.listen(0, '127.0.0.1');
    } catch (error) {
      await app.close();
      throw error;
    }
    return new AuthServer(app, (app.getHttpServer().address() as AddressInfo).port, keeper.lines);
  }

  /** One request, with the headers exactly as given (fetch would not send a Host of one's own). */
  ask(path: string, { method = 'GET', headers = {}, key, body, from }: Ask = {}): Promise<Answer> {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    const all = {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(payload !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const target = {
        host: '127.0.0.1',
        port: this.port,
        path: `/api/v1${path}`,
        method,
        headers: all,
        localAddress: from,
      };
      const request = httpRequest({ ...target, agent: false }, (response) => {
        response.setEncoding('utf8');
        let text = '';
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            body: (text ? JSON.parse(text) : {}) as Record<string, unknown>,
          }),
        );
      });
      request.on('error', reject);
      request.end(payload);
    });
  }

  /** Makes a key with another and returns what the server said. */
  makeKey(key: string, wanted: Record<string, unknown>): Promise<Answer> {
    return this.ask('/keys', { method: 'POST', key, body: { name: 'test', ...wanted } });
  }

  /** A member's key of the subject `ada`, unless something else is wanted. */
  async memberKey(key: string, wanted: Record<string, unknown> = {}): Promise<{ id: string; key: string }> {
    const scopes = ['models:read', 'sessions:read', 'chat'];
    const made = await this.makeKey(key, { scopes, ownerId: 'ada', ...wanted });
    expect(made.status).toBe(201);
    return made.body as { id: string; key: string };
  }

  close(): Promise<void> {
    return this.app.close();
  }
}
