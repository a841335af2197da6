import { NO_USAGE } from '@scorpio/events';
import { newId } from '@scorpio/kernel';
import { Sweeper } from '@scorpio/persistence';
import { BlobsService } from '../../apps/api/src/blobs/blobs.service';
import { MessageRepository } from '../../apps/api/src/chat/message.repository';
import { messageId } from '../../apps/api/src/sessions/message-id';
import { SessionsService } from '../../apps/api/src/sessions/sessions.service';
import type { ApiClient } from '../support/api-client';
import { describeStores } from '../support/stores';
import { PIXEL, SESSIONS, SessionServer, idsOf, makeSession, owner, text } from '../support/session-server';

describeStores('what is said in sessions', (store) => {
  let server: SessionServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await SessionServer.start({ AUTH_MODE: 'none', ...store.env() });
    api = server.api();
  });

  describe('messages', () => {
    it('are read in pages to both sides, in conversation order', async () => {
      const { id } = await makeSession(api);
      const all = [];
      for (let n = 1; n <= 12; n++) all.push(await server.say(id, [n, 1, 0], 'user', [text(`message ${n}`)]));
      await server.say((await makeSession(api)).id, [1, 1, 0], 'user', [text('elsewhere')]);
      const page = (query: string) => api.get(`${SESSIONS}/${id}/messages?limit=5${query}`);
      const newest = await page('');
      expect(idsOf(newest)).toEqual(all.slice(7));
      expect(newest.body).toMatchObject({ previousCursor: all[7], nextCursor: null });
      const before = await page(`&before=${newest.body.previousCursor}`);
      expect(idsOf(before)).toEqual(all.slice(2, 7));
      expect(before.body).toMatchObject({ previousCursor: all[2], nextCursor: all[6] });
      const oldest = await page(`&before=${before.body.previousCursor}`);
      expect(idsOf(oldest)).toEqual(all.slice(0, 2));
      expect(oldest.body.previousCursor).toBeNull();
      const after = await page(`&after=${oldest.body.nextCursor}`);
      expect(idsOf(after)).toEqual(all.slice(2, 7));
      const last = await page(`&after=${all[6]}`);
      expect(idsOf(last)).toEqual(all.slice(7));
      expect(last.body).toMatchObject({ previousCursor: all[7], nextCursor: null });
      expect(idsOf(await page(`&after=${all[11]}`))).toEqual([]);
      expect(await page(`&after=${all[1]}&before=${all[3]}`)).toMatchObject({ status: 400, body: { field: 'after' } });
    });

    it('show their parts, but not what is between us and the vendor', async () => {
      const { id } = await makeSession(api);
      const { ids: made, blobId } = await server.converse(id);
      const { items } = (await api.get(`${SESSIONS}/${id}/messages`)).body;
      expect(items.map((item: any) => item.id)).toEqual(made);
      expect(items[0].parts[1]).toEqual({ type: 'image', mediaType: 'image/png', blobId });
      expect(items[1]).toEqual({
        id: made[1],
        sessionId: id,
        runId: expect.stringMatching(/^run_/) as string,
        role: 'assistant',
        parts: [
          text('I look.'),
          { type: 'tool_call', callId: 'call_1', name: 'look', arguments: { $gt: 1, deep: [{}] } },
        ],
        model: 'demo/scribe',
        finish: 'tool_calls',
        usage: { ...NO_USAGE, inputTokens: 3, outputTokens: 2 },
        cost: 0.5,
        partial: false,
        createdAt: expect.any(String) as string,
      });
      expect(items[5]).toMatchObject({ partial: true });
    });

    it('are written anew by their owner, and not by one that was fenced', async () => {
      const { id } = await makeSession(api);
      const messages = server.app.get(MessageRepository);
      const first = { id: messageId(id, 1, 1, 1), ...owner, sessionId: id as string };
      const message = { ...first, runId: newId('run'), role: 'assistant' as const, createdAt: new Date() };
      const put = (epoch: number, words: string) => messages.put({ ...message, epoch, content: [text(words)] });
      expect(await put(2, 'two')).toBe(true);
      expect(await put(1, 'one')).toBe(false);
      expect(await put(2, 'two again')).toBe(true);
      expect(await put(3, 'three')).toBe(true);
      expect(await put(2, 'late')).toBe(false);
      expect(await messages.thread(owner, id)).toMatchObject([{ epoch: 3, content: [text('three')] }]);
    });
  });

  describe('blobs', () => {
    it('are downloaded as bytes that no browser runs, and asked for again only when they are not known', async () => {
      const { id } = await makeSession(api);
      const { blobId } = await server.converse(id);
      const answer = await fetch(`${api.baseUrl}/api/v1/blobs/${blobId}`);
      expect(Buffer.from(await answer.arrayBuffer())).toEqual(PIXEL);
      expect(answer.headers.get('content-type')).toBe('image/png');
      expect(answer.headers.get('content-disposition')).toBe(
        `attachment; filename="dot.png"; filename*=UTF-8''dot.png`,
      );
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      const etag = answer.headers.get('etag')!;
      // Else fetch asks for a reload, which is to be answered in full.
      const cached = { 'cache-control': 'max-age=0' };
      expect(await api.get(`/api/v1/blobs/${blobId}`, { 'if-none-match': etag, ...cached })).toMatchObject({
        status: 304,
        text: '',
      });
      expect(await api.get(`/api/v1/blobs/${blobId}`, { 'if-none-match': '"other"', ...cached })).toMatchObject({
        status: 200,
      });
    });

    it('may be large, but not too large', async () => {
      const { id: sessionId } = await makeSession(api);
      const blobs = server.app.get(BlobsService);
      const bytes = Buffer.alloc(2_500_000, 'scorpio ');
      const id = await blobs.put({ owner, sessionId, bytes, mediaType: 'text/html' });
      const answer = await fetch(`${api.baseUrl}/api/v1/blobs/${id}`);
      expect(bytes.equals(Buffer.from(await answer.arrayBuffer()))).toBe(true);
      expect(answer.headers.get('content-type')).toBe('application/octet-stream');
      const empty = await blobs.put({ owner, sessionId, bytes: Buffer.alloc(0), mediaType: 'text/plain' });
      expect(await api.get(`/api/v1/blobs/${empty}`)).toMatchObject({ status: 200, text: '' });
      await expect(
        blobs.put({ owner, sessionId, bytes: Buffer.alloc(20 * 1_048_576 + 1), mediaType: 'text/plain' }),
      ).rejects.toMatchObject({ kind: 'too-large', code: 'blob_too_large' });
    });

    it('without a session, or half written, are removed after a while', async () => {
      const blobs = server.app.get(BlobsService);
      const { id: sessionId } = await makeSession(api);
      const blob = { owner, bytes: PIXEL, mediaType: 'image/png' };
      const kept = await blobs.put({ ...blob, sessionId });
      const orphan = await blobs.put({ ...blob, sessionId: newId('ses') });
      const half = await blobs.put({ ...blob, sessionId });
      await server.model('BlobModel').updateOne({ _id: half }, { $set: { writing: true } });
      expect((await api.get(`/api/v1/blobs/${half}`)).status).toBe(404);
      const existing = (ids: string[]) => server.app.get(SessionsService).existing(ids);
      await blobs.removeOrphans(new Date(0), existing);
      expect((await api.get(`/api/v1/blobs/${orphan}`)).status).toBe(200);
      await blobs.removeOrphans(new Date(Date.now() + 1_000), existing);
      expect((await api.get(`/api/v1/blobs/${orphan}`)).status).toBe(404);
      expect((await api.get(`/api/v1/blobs/${kept}`)).status).toBe(200);
      expect(
        await server.model('BlobChunkModel').countDocuments({ _id: { $in: [`${half}:0000`, `${orphan}:0000`] } }),
      ).toBe(0);
    });
  });

  describe('deletion', () => {
    it('is at once for everybody, and takes all that belongs to the session', async () => {
      const { id } = await makeSession(api, { title: 'Doomed' });
      const { blobId } = await server.converse(id);
      expect(await api.delete(`${SESSIONS}/${id}`)).toMatchObject({ status: 204, text: '' });
      for (const path of ['', '/messages', '/export'])
        expect((await api.get(`${SESSIONS}/${id}${path}`)).status).toBe(404);
      expect(await api.patch(`${SESSIONS}/${id}`, { title: 'x' })).toMatchObject({ status: 404 });
      expect(await api.post(`${SESSIONS}/${id}/fork`, {})).toMatchObject({ status: 404 });
      expect(await api.delete(`${SESSIONS}/${id}`)).toMatchObject({ status: 404 });
      expect(idsOf(await api.get(`${SESSIONS}?search=doomed`))).toEqual([]);
      await server.app.get(Sweeper).sweepNow();
      expect(await server.left(id, blobId)).toEqual({ sessions: 0, messages: 0, blobs: 0, chunks: 0 });
    });

    it('waits for a room that is not done, keeps the order, and bears faults', async () => {
      const asked: string[] = [];
      let answer: () => 'done' | 'later' = () => 'later';
      const { id } = await makeSession(api);
      server.app.get(SessionsService).registerPurge('test', (session) => {
        if (session !== id) return Promise.resolve('done');
        asked.push(session);
        return Promise.resolve().then(() => answer());
      });
      const { blobId } = await server.converse(id);
      const whole = { sessions: 1, messages: 6, blobs: 1, chunks: 1 };
      await api.delete(`${SESSIONS}/${id}`);
      await server.app.get(Sweeper).sweepNow();
      expect(await server.left(id, blobId)).toEqual(whole);
      answer = () => {
        throw new Error('the store is away');
      };
      await server.app.get(Sweeper).sweepNow();
      expect(await server.left(id, blobId)).toEqual(whole);
      answer = () => 'done';
      await server.app.get(Sweeper).sweepNow();
      expect(await server.left(id, blobId)).toEqual({ sessions: 0, messages: 0, blobs: 0, chunks: 0 });
      expect(asked.length).toBeGreaterThanOrEqual(3);
    });
  });

  describe('forks', () => {
    it('[P7] have their own copies, and go on from there', async () => {
      const settings = {
        title: 'Dots',
        model: 'demo/scribe',
        instructions: 'Be brief.',
        tools: ['look'],
        metadata: { a: 'b' },
      };
      const { id } = await makeSession(api, settings);
      const { blobId } = await server.converse(id);
      const fork = await api.post(`${SESSIONS}/${id}/fork`, {});
      expect(fork).toMatchObject({ status: 201, body: { ...settings, usage: NO_USAGE, cost: null, activeRun: null } });
      expect(fork.body.id).not.toBe(id);
      const copied = (await api.get(`${SESSIONS}/${fork.body.id}/messages`)).body.items;
      const original = (await api.get(`${SESSIONS}/${id}/messages`)).body.items;
      const plain = (items: any[]) =>
        items.map(({ id, sessionId, parts, ...rest }) => ({
          ...rest,
          place: id.slice(sessionId.length),
          parts: parts.map(({ blobId: _, ...part }: any) => part),
        }));
      expect(plain(copied)).toEqual(plain(original));
      const copy = copied[0].parts[1].blobId;
      expect(copy).not.toBe(blobId);
      await api.delete(`${SESSIONS}/${id}`);
      await server.app.get(Sweeper).sweepNow();
      expect(await api.get(`/api/v1/blobs/${blobId}`)).toMatchObject({ status: 404 });
      expect((await fetch(`${api.baseUrl}/api/v1/blobs/${copy}`)).status).toBe(200);
      const turn = { sessionId: fork.body.id as string, runId: newId('run') };
      expect(await server.app.get(SessionsService).beginTurn({ ...turn, owner })).toMatchObject({ turns: 3 });
    });

    it('end where they are told, never between a call and its results', async () => {
      const { id } = await makeSession(api);
      const { ids: made } = await server.converse(id);
      const fork = async (message: string) => {
        const { body } = await api.post(`${SESSIONS}/${id}/fork`, { messageId: message, title: 'Other way' });
        expect(body).toMatchObject({ title: 'Other way' });
        return (await api.get(`${SESSIONS}/${body.id}/messages`)).body.items.length as number;
      };
      expect(await fork(made[0])).toBe(1);
      expect(await fork(made[1])).toBe(3);
      expect(await fork(made[3])).toBe(4);
      for (const messageId of [made[0].replace('000001', '000009'), 'x', `${newId('ses')}:000001:0001:0`])
        expect(await api.post(`${SESSIONS}/${id}/fork`, { messageId })).toMatchObject({
          status: 404,
          body: { code: 'message_not_found' },
        });
    });

    it('that were cut short leave nothing', async () => {
      const sessions = server.app.get(SessionsService);
      const id = newId('ses');
      await sessions.prepare({ ...owner, id, seed: { title: 'half a fork' } });
      const { blobId } = await server.converse(id);
      expect((await api.get(`${SESSIONS}/${id}`)).status).toBe(404);
      expect(idsOf(await api.get(`${SESSIONS}?search=half`))).toEqual([]);
      await server.app.get(Sweeper).sweepNow();
      expect((await server.left(id, blobId)).sessions).toBe(1);
      await server.model('SessionModel').updateOne({ _id: id }, { $set: { deletedAt: new Date(Date.now() - 1) } });
      await expect(sessions.publish(owner, id)).rejects.toMatchObject({ code: 'session_not_found' });
      await server.app.get(Sweeper).sweepNow();
      expect(await server.left(id, blobId)).toEqual({ sessions: 0, messages: 0, blobs: 0, chunks: 0 });
    });
  });

  describe('exports', () => {
    /** The document without what must differ: ids and times, each named by its first place. */
    const plain = (document: unknown): unknown => {
      const names = new Map<string, string>();
      const name = (id: string): string => names.get(id) ?? names.set(id, `#${names.size}`).get(id)!;
      return JSON.parse(
        JSON.stringify(document, (key, value: unknown) =>
          key === 'createdAt' || key === 'updatedAt' ? 'time' : value,
        ).replace(/(ses|run|blob)_[0-9A-HJKMNP-TV-Z]{26}/g, name),
      );
    };

    it('[P7] come back as they went, again and again', async () => {
      const metadata = { 'a.b': 'c' };
      const { id } = await makeSession(api, {
        title: 'Dots',
        model: 'demo/scribe',
        instructions: 'x',
        tools: ['look'],
        metadata,
      });
      await server.converse(id);
      const turn = { sessionId: id as string, runId: newId('run') };
      const usage = { ...NO_USAGE, inputTokens: 7 };
      await server.app.get(SessionsService).beginTurn({ ...turn, owner });
      await server.app.get(SessionsService).settleTurn({ ...turn, turn: 1, usage, cost: 1.5 });
      const first = await api.get(`${SESSIONS}/${id}/export`);
      expect(first).toMatchObject({ status: 200, body: { version: 1, blobs: [{ data: PIXEL.toString('base64') }] } });
      const copy = await api.post(`${SESSIONS}/import`, first.text);
      expect(copy).toMatchObject({ status: 201, body: { title: 'Dots', metadata, usage, cost: 1.5, activeRun: null } });
      const second = await api.get(`${SESSIONS}/${copy.body.id}/export`);
      expect(plain(second.body)).toEqual(plain(first.body));
      expect(second.body.session.id).not.toBe(id);
      const again = await api.post(`${SESSIONS}/import`, second.text);
      const third = await api.get(`${SESSIONS}/${again.body.id}/export`);
      expect(plain(third.body)).toEqual(plain(first.body));
      const [theirs, ours] = await Promise.all(
        [id, again.body.id].map((one) => server.app.get(MessageRepository).thread({ tenantId: 'local' }, one)),
      );
      expect(ours.map(({ content }) => content).slice(1)).toEqual(theirs.map(({ content }) => content).slice(1));
      expect(
        await server.app.get(SessionsService).beginTurn({ sessionId: again.body.id, runId: newId('run'), owner }),
      ).toMatchObject({ turns: 3 });
    });

    it('are read back where they are larger than other bodies may be, up to a limit of their own', async () => {
      const { id } = await makeSession(api);
      await server.say(id, [1, 1, 0], 'user', [text('a'.repeat(5_000))]);
      const small = await api.get(`${SESSIONS}/${id}/export`);
      await server.say(id, [2, 1, 0], 'user', [text('b'.repeat(5_000))]);
      const large = await api.get(`${SESSIONS}/${id}/export`);

      const limits = { BODY_LIMIT: '2048', IMPORT_LIMIT: '10000' };
      const other = (await SessionServer.start({ AUTH_MODE: 'none', ...store.env(), ...limits })).api();
      expect(await other.post(`${SESSIONS}/import`, small.text)).toMatchObject({ status: 201 });
      const refused = { status: 413, body: { code: 'body_too_large' } };
      expect(await other.post(SESSIONS, { instructions: 'a'.repeat(5_000) })).toMatchObject(refused);
      const told = await other.post(`${SESSIONS}/import`, large.text);
      expect(told).toMatchObject(refused);
      expect(told.text).toContain('10000 bytes');
    });

    it('of an empty session too', async () => {
      const { id } = await makeSession(api);
      const { body } = await api.get(`${SESSIONS}/${id}/export`);
      expect(body).toMatchObject({ version: 1, messages: [], blobs: [] });
      expect(await api.post(`${SESSIONS}/import`, body)).toMatchObject({ status: 201, body: { title: null } });
    });

    it('leave out a step that is not over', async () => {
      const { id } = await makeSession(api);
      await server.say(id, [1, 1, 0], 'user', [text('hi')]);
      await server.say(id, [1, 1, 1], 'assistant', [{ type: 'tool_call', callId: 'c', name: 'n', arguments: {} }]);
      const { body } = await api.get(`${SESSIONS}/${id}/export`);
      expect(body.messages).toHaveLength(1);
      expect(await api.post(`${SESSIONS}/${id}/fork`, { messageId: messageId(id, 1, 1, 1) })).toMatchObject({
        status: 409,
        body: { code: 'step_unfinished' },
      });
    });

    it('are checked to their depth when they come in', async () => {
      const { id } = await makeSession(api);
      await server.converse(id);
      const { body } = await api.get(`${SESSIONS}/${id}/export`);
      const spoilt = (spoil: (document: any) => void): object => {
        const document = structuredClone(body);
        spoil(document);
        return document;
      };
      const refused: [string, unknown][] = [
        ['body', spoilt((d) => (d.tenantId = 'x'))],
        ['session', spoilt((d) => (d.session.ownerId = 'eve'))],
        ['messages[0]', spoilt((d) => (d.messages[0].epoch = 9))],
        ['messages[1].parts[0]', spoilt((d) => (d.messages[1].parts[0].html = '<b>'))],
        ['messages[0].parts[1].blobId', spoilt((d) => (d.blobs = []))],
        ['version', {}],
        ['body', []],
      ];
      for (const [field, document] of refused)
        expect(await api.post(`${SESSIONS}/import`, document)).toMatchObject({ status: 400, body: { field } });
      const polluting = JSON.stringify(body).replace('"session":{', '"session":{"__proto__":{"polluted":1},');
      expect(await api.post(`${SESSIONS}/import`, polluting)).toMatchObject({ status: 400 });
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    });
  });
});
