import type { AddressInfo } from 'node:net';
import { getModelToken } from '@nestjs/mongoose';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { Model } from 'mongoose';
import { ConfigModule, loadConfig } from '@scorpio/config';
import { NO_USAGE } from '@scorpio/events';
import { newId } from '@scorpio/kernel';
import { PersistenceModule } from '@scorpio/persistence';
import { AuthModule } from '../../apps/api/src/auth/auth.module';
import { BlobsModule } from '../../apps/api/src/blobs/blobs.module';
import { BlobsService } from '../../apps/api/src/blobs/blobs.service';
import { HistoryModule } from '../../apps/api/src/chat/history.module';
import { MessageRepository } from '../../apps/api/src/chat/message.repository';
import type { MessageRecord, StoredPart } from '../../apps/api/src/chat/message.schema';
import { APP_OPTIONS, configureApp } from '../../apps/api/src/http/configure-app';
import { messageId } from '../../apps/api/src/sessions/message-id';
import { SessionsModule } from '../../apps/api/src/sessions/sessions.module';
import { ApiClient } from './api-client';
import { tempDir } from './temp-dir';

export const SESSIONS = '/api/v1/sessions';
/** The first bytes of a picture. */
export const PIXEL = Buffer.from('89504e470d0a1a0a', 'hex');
/** Who everybody is while authentication is off. */
export const owner = { tenantId: 'local', ownerId: 'local' };

export const text = (words: string): StoredPart => ({ type: 'text', text: words });

/** The ids of a page of a list. */
export const idsOf = (page: { body: { items: { id: string }[] } }): string[] => page.body.items.map(({ id }) => id);

/** A new session as the server answers it. */
export async function makeSession(api: ApiClient, body: object = {}): Promise<any> {
  const made = await api.post(SESSIONS, body);
  expect(made).toMatchObject({ status: 201 });
  return made.body;
}

/** A server of sessions and what was said in them, without models and runs. It sweeps only when a test asks it to. */
export class SessionServer {
  private constructor(
    readonly app: NestExpressApplication,
    readonly url: string,
  ) {}

  /** @param env variables beside those of every test; the server closes when the test file is done */
  static async start(env: Record<string, string>): Promise<SessionServer> {
    const config = loadConfig({
      NODE_ENV: 'test',
      SECRET_KEY: 'k'.repeat(40),
      DATA_DIR: tempDir(),
      SWEEP_INTERVAL_MS: '600000',
      RATE_LIMIT_GENERAL: '0',
      ...env,
    });
    const rooms = [AuthModule, SessionsModule, BlobsModule, HistoryModule];
    const imports = [ConfigModule.forRoot(config), PersistenceModule.forRoot(), ...rooms];
    const testing = await Test.createTestingModule({ imports }).compile();
    const app = testing.createNestApplication<NestExpressApplication>({ ...APP_OPTIONS, logger: false });
    open.push(app);
    configureApp(app, config);
    await app.listen(0, '127.0.0.1');
    return new SessionServer(app, `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`);
  }

  /** @param key an API key, where the server asks for one */
  api(key?: string): ApiClient {
    return new ApiClient(this.url, key === undefined ? {} : { authorization: `Bearer ${key}` });
  }

  /** Puts a message where a run would have. @returns its id */
  async say(
    sessionId: string,
    [turn, step, k]: [turn: number, step: number, k: number],
    role: MessageRecord['role'],
    content: StoredPart[],
    more: Partial<MessageRecord> = {},
  ): Promise<string> {
    const id = messageId(sessionId, turn, step, k);
    const message = { ...owner, id, sessionId, runId: newId('run'), epoch: 1, role, content, createdAt: new Date() };
    expect(await this.app.get(MessageRepository).put({ ...message, ...more })).toBe(true);
    return id;
  }

  /** Two turns: a picture, a tool call with what the vendor said of it, and thanks with an answer that was cut short. */
  async converse(sessionId: string): Promise<{ ids: string[]; blobId: string }> {
    const blob = { owner, sessionId, bytes: PIXEL, mediaType: 'image/png', name: 'dot.png' };
    const blobId = await this.app.get(BlobsService).put(blob);
    const native = { vendor: 'openai', model: 'gpt', system: 's', data: { id: 'rs_1', $sealed: 'é==' } };
    const asked = { callId: 'call_1', name: 'look' };
    const call: StoredPart = { type: 'tool_call', ...asked, arguments: { $gt: 1, deep: [{}] }, native };
    const result: StoredPart = { type: 'tool_result', ...asked, output: 'a dot', isError: false };
    const image: StoredPart = { type: 'image', mediaType: 'image/png', blobId };
    const by = {
      model: 'demo/scribe',
      usage: { ...NO_USAGE, inputTokens: 3, outputTokens: 2 },
      cost: 0.5,
      durationMs: 7,
    };
    const ids = [
      await this.say(sessionId, [1, 1, 0], 'user', [text('What is it?'), image]),
      await this.say(sessionId, [1, 1, 1], 'assistant', [text('I look.'), call], { ...by, finish: 'tool_calls' }),
      await this.say(sessionId, [1, 1, 2], 'tool', [result]),
      await this.say(sessionId, [1, 2, 1], 'assistant', [text('A dot.')], { ...by, finish: 'stop', cost: null }),
      await this.say(sessionId, [2, 1, 0], 'user', [text('Thanks')]),
      await this.say(sessionId, [2, 1, 1], 'assistant', [text('You are wel')], { ...by, partial: true }),
    ];
    return { ids, blobId };
  }

  /** A collection, to look behind the API. */
  model(name: string): Model<any> {
    return this.app.get<Model<any>>(getModelToken(name), { strict: false });
  }

  /** What the store still holds of a session. */
  async left(sessionId: string, blobId: string): Promise<Record<string, number>> {
    const within = (id: string) => ({ _id: { $gte: `${id}:`, $lt: `${id};` } });
    return {
      sessions: await this.model('SessionModel').countDocuments({ _id: sessionId }),
      messages: await this.model('MessageModel').countDocuments(within(sessionId)),
      blobs: await this.model('BlobModel').countDocuments({ sessionId }),
      chunks: await this.model('BlobChunkModel').countDocuments(within(blobId)),
    };
  }
}

const open: NestExpressApplication[] = [];
afterAll(() => Promise.all(open.splice(0).map((app) => app.close())));
