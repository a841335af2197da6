import type { Type } from '@nestjs/common';
import { getModelToken } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { newId } from '@scorpio/kernel';
import { Conversation } from '../../apps/api/src/chat/conversation.service';
import { RunCancellation } from '../../apps/api/src/runs/run-cancellation.service';
import { RunRepository } from '../../apps/api/src/runs/run.repository';
import { RunModel } from '../../apps/api/src/runs/run.schema';
import { SessionsService } from '../../apps/api/src/sessions/sessions.service';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { checkRun } from '../support/oracles';
import { typesOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

describeStores('runs that their owner has lost', (store) => {
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;

  beforeAll(async () => {
    app = await AppHarness.start({ DEFAULT_MODEL: 'demo/scribe', SWEEP_INTERVAL_MS: '20', ...store.env() });
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  });
  afterAll(() => app?.close());

  /** A service of the product. */
  const find = <T>(type: Type<T>): T => app.app.get(type, { strict: false });

  it('have ended for whoever was told so, also while their owner is lost and another has come', async () => {
    const runs = find(RunRepository);
    const model = app.app.get<Model<RunModel>>(getModelToken(RunModel.name), { strict: false });
    const sessionId = await chat.newSession();
    await chat.send(sessionId, { message: '/say done' });
    const [run] = await runs.ofSession(sessionId, 1);
    const lease = { owner: 'wrk_other', at: new Date() };
    await model.collection.updateOne({ _id: run.id as never }, { $set: { status: 'running', epoch: 2, lease } });
    await find(RunCancellation).finishEnded({ ...run, status: 'running' });
    expect((await runs.ofSession(sessionId, 1))[0]).toMatchObject({ status: 'completed', epoch: 2 });
  });

  it('are cancelled when their owner was lost as it began them: they are no part of the conversation either', async () => {
    const [runs, sessions, conversation] = [find(RunRepository), find(SessionsService), find(Conversation)];
    const sessionId = await chat.newSession();
    await chat.send(sessionId, { message: '/say before' });
    const [{ id, status, ready, epoch, turn, ...like }] = await runs.ofSession(sessionId, 1);
    const runId = newId('run');
    const lost = (await runs.insertActive({ ...like, _id: runId, order: `1${runId}` }, 'wrk_lost'))!;
    const content = [{ type: 'text' as const, text: 'Lost.' }];
    const owner = { tenantId: lost.tenantId, ownerId: lost.ownerId };
    const begins = () => sessions.beginTurn({ sessionId, runId, owner });
    lost.turn = (await begins()).turns;
    await conversation.saveInput(lost, 0, content);
    expect((await chat.session(sessionId)).body.activeRun).toEqual({ id: runId });
    await chat.cancel(runId);
    await runs.release(runId, 1, 'crash');

    expect(await chat.runIs(runId, 'cancelled')).toMatchObject({ messages: [] });
    const read = await sse.follow(runId);
    expect(typesOf(read)).toEqual(['run.created', 'run.cancelled']);
    await checkRun(api, [read]);
    expect((await chat.session(sessionId)).body).toMatchObject({ activeRun: null });
    // What its owner still does comes too late.
    expect((await begins()).turns).toBe(lost.turn);
    await expect(conversation.saveInput(lost, 0, content)).rejects.toThrow();
    await checkRun(api, [read]);
    expect((await chat.session(sessionId)).body).toMatchObject({ activeRun: null });
    expect((await chat.send(sessionId, { message: '/say after' })).body.text).toBe('after');
  });
});
