import { NO_USAGE } from '@scorpio/events';
import { newId } from '@scorpio/kernel';
import { newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { BlobsService } from '../../apps/api/src/blobs/blobs.service';
import { SessionsService } from '../../apps/api/src/sessions/sessions.service';
import type { ApiClient } from '../support/api-client';
import { describeStores } from '../support/stores';
import { PIXEL, SESSIONS, SessionServer, idsOf, makeSession, owner, text } from '../support/session-server';

describeStores('sessions', (store) => {
  let server: SessionServer;
  let api: ApiClient;
  beforeAll(async () => {
    server = await SessionServer.start({ AUTH_MODE: 'none', ...store.env() });
    api = server.api();
  });

  describe('the resource', () => {
    it('is made with nothing, and with everything', async () => {
      const bare = await makeSession(api);
      expect(bare).toEqual({
        id: expect.stringMatching(/^ses_/) as string,
        title: null,
        model: null,
        instructions: null,
        tools: [],
        metadata: {},
        usage: NO_USAGE,
        cost: null,
        activeRun: null,
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        updatedAt: bare.createdAt,
      });
      const settings = {
        title: 'Trip to Oslo',
        model: 'demo/scribe',
        instructions: 'Be brief.',
        tools: ['web__search', 'read_file'],
        metadata: { 'team.name': 'a=b', empty: '' },
      };
      const full = await makeSession(api, settings);
      expect(full).toMatchObject(settings);
      expect((await api.get(`${SESSIONS}/${full.id}`)).body).toEqual(full);
    });

    it('is changed field by field; null removes', async () => {
      const made = await makeSession(api, { title: 'One', model: 'demo/scribe', metadata: { a: '1', b: '2' } });
      const path = `${SESSIONS}/${made.id}`;
      const changed = await api.patch(path, { title: '  Two ', metadata: { c: '3' }, instructions: 'x' });
      expect(changed).toMatchObject({
        status: 200,
        body: { title: 'Two', model: 'demo/scribe', metadata: { c: '3' } },
      });
      const cleared = await api.patch(path, {
        title: null,
        model: null,
        instructions: null,
        tools: null,
        metadata: null,
      });
      expect(cleared.body).toMatchObject({ title: null, model: null, instructions: null, tools: [], metadata: {} });
      expect((await api.patch(path, {})).body).toEqual(cleared.body);
      expect((await api.get(`${SESSIONS}?search=two`)).body.items).toEqual([]);
    });

    it('[S2] keeps to its own fields', async () => {
      const { id } = await makeSession(api);
      for (const field of [
        'ownerId',
        'tenantId',
        'createdAt',
        'status',
        'usage',
        'turns',
        'activeRun',
        'deletedAt',
        'id',
      ])
        for (const answer of [
          await api.post(SESSIONS, { [field]: 'x' }),
          await api.patch(`${SESSIONS}/${id}`, { [field]: 'x' }),
        ])
          expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed', field } });
      for (const body of ['{"__proto__":{"title":"x"}}', '{"metadata":{"__proto__":"x"}}', '{"metadata":{"$ne":"x"}}'])
        expect(await api.post(SESSIONS, body)).toMatchObject({ status: 400 });
      expect((await api.get(`${SESSIONS}/${id}`)).body).toMatchObject({ metadata: {} });
    });

    it.each<[string, object]>([
      ['title', { title: 'x'.repeat(201) }],
      ['title', { title: ' ' }],
      ['title', { title: { $ne: '' } }],
      ['model', { model: 'gpt' }],
      ['instructions', { instructions: 'x'.repeat(100_001) }],
      ['tools', { tools: Array.from({ length: 129 }, (_, n) => `t${n}`) }],
      ['tools', { tools: ['a', 'a'] }],
      ['tools', { tools: ['a b'] }],
      ['metadata', { metadata: { 'a b': 'x' } }],
      ['metadata', { metadata: { a: 1 } }],
      ['metadata', { metadata: { a: 'x'.repeat(513) } }],
      ['metadata', { metadata: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`k${n}`, ''])) }],
      ['metadata', { metadata: [] }],
    ])('refuses a bad %s', async (field, body) => {
      const answer = await api.post(SESSIONS, body);
      expect(answer.status).toBe(400);
      expect(answer.body.field ?? answer.body.errors[0].field).toContain(field);
    });

    it('[S3] refuses bad ids and tampered cursors, and does not know what is not there', async () => {
      const bad = [
        '..%2Fx',
        'null',
        'undefined',
        '507f1f77bcf86cd799439011',
        'run_01JZZZZZZZZZZZZZZZZZZZZZZZ',
        'ses_1',
      ];
      for (const id of bad)
        for (const path of ['', '/messages', '/export'])
          expect(await api.get(`${SESSIONS}/${id}${path}`)).toMatchObject({
            status: 400,
            body: { code: 'id_invalid', field: 'id' },
          });
      for (const id of bad) {
        expect(await api.patch(`${SESSIONS}/${id}`, {})).toMatchObject({ status: 400 });
        expect(await api.delete(`${SESSIONS}/${id}`)).toMatchObject({ status: 400 });
        expect(await api.post(`${SESSIONS}/${id}/fork`, {})).toMatchObject({ status: 400 });
      }
      expect(await api.get('/api/v1/blobs/x')).toMatchObject({
        status: 400,
        body: { code: 'id_invalid', field: 'blobId' },
      });
      const none = `${SESSIONS}/${newId('ses')}`;
      for (const answer of [
        await api.get(none),
        await api.get(`${none}/messages`),
        await api.get(`${none}/export`),
        await api.patch(none, { title: 'x' }),
        await api.post(`${none}/fork`, {}),
        await api.delete(none),
      ])
        expect(answer).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
      expect(await api.get(`/api/v1/blobs/${newId('blob')}`)).toMatchObject({
        status: 404,
        body: { code: 'blob_not_found' },
      });

      const cursor = (values: unknown): string => Buffer.from(JSON.stringify(values)).toString('base64url');
      const { id } = await makeSession(api);
      for (const value of [
        'x',
        '%00',
        cursor([1]),
        cursor(['1', id]),
        cursor([1, { $gt: '' }]),
        cursor([9e15, id]),
        cursor({}),
      ])
        expect(await api.get(`${SESSIONS}?cursor=${value}`)).toMatchObject({
          status: 400,
          body: { code: 'cursor_invalid', field: 'cursor' },
        });
      for (const value of ['x', `${newId('ses')}:000001:0001:0`, '%24gt'])
        expect(await api.get(`${SESSIONS}/${id}/messages?before=${value}`)).toMatchObject({
          status: 400,
          body: { code: 'cursor_invalid', field: 'before' },
        });
    });

    it('[S6] keeps odd text, and refuses too much of it', async () => {
      const made = await makeSession(api, { title: 'a\ud800b\u0000c\u0001', instructions: 'é\u2028' });
      expect(made).toMatchObject({ title: 'a\ufffdb\u0000c\u0001', instructions: 'é\u2028' });
      await server.say(made.id, [1, 1, 0], 'user', [text('x\ud800\u0000y\ud83d')]);
      await server.say(made.id, [1, 1, 1], 'assistant', [text('é'.repeat(2_500_000))]);
      const { items } = (await api.get(`${SESSIONS}/${made.id}/messages`)).body;
      expect(items[0].parts).toEqual([text('x\ud800\u0000y\ud83d')]);
      expect(items[1].parts[0].text).toHaveLength(2_500_000);
      expect(await api.post(SESSIONS, { instructions: 'x'.repeat(21 * 1024 * 1024) })).toMatchObject({ status: 413 });
    });
  });

  describe('the list', () => {
    it('goes in pages that stay whole while sessions are added and changed', async () => {
      const mark = newId('ses');
      const made: string[] = [];
      for (let n = 0; n < 7; n++) made.unshift((await makeSession(api, { metadata: { mark } })).id);
      const list = `${SESSIONS}?limit=3&metadata[mark]=${mark}`;
      const first = await api.get(list);
      expect(idsOf(first)).toEqual(made.slice(0, 3));
      await makeSession(api, { metadata: { mark } });
      await api.patch(`${SESSIONS}/${made[1]}`, { title: 'now newer' });
      const second = await api.get(`${list}&cursor=${first.body.nextCursor}`);
      const third = await api.get(`${list}&cursor=${second.body.nextCursor}`);
      expect([...idsOf(second), ...idsOf(third)]).toEqual(made.slice(3));
      expect(third.body.nextCursor).toBeNull();
      expect(idsOf(await api.get(list))[0]).toBe(made[1]);
    });

    it('parts sessions of one moment by their id', async () => {
      const mark = newId('ses');
      const made: string[] = [];
      for (let n = 0; n < 9; n++) made.push((await makeSession(api, { metadata: { mark } })).id);
      await server.model('SessionModel').updateMany({ _id: { $in: made } }, { $set: { updatedAt: new Date() } });
      const listed = await api.all<{ id: string }>(`${SESSIONS}?limit=2&metadata[mark]=${mark}`);
      expect(listed.map(({ id }) => id)).toEqual(made.reverse());
    });

    it('filters by metadata, by every pair and also by keys with dots', async () => {
      const mark = newId('ses');
      const one = await makeSession(api, { metadata: { mark, 'team.name': 'core', stage: 'a=b' } });
      const two = await makeSession(api, { metadata: { mark, 'team.name': 'web' } });
      const find = async (query: string) => idsOf(await api.get(`${SESSIONS}?metadata[mark]=${mark}${query}`));
      expect(await find('')).toEqual([two.id, one.id]);
      expect(await find('&metadata[team.name]=core')).toEqual([one.id]);
      expect(await find('&metadata[team.name]=core&metadata[stage]=a%3Db')).toEqual([one.id]);
      expect(await find('&metadata[team.name]=web&metadata[stage]=a%3Db')).toEqual([]);
      expect(await find('&metadata[stage]=a')).toEqual([]);
    });

    it('searches in titles, the automatic ones too, whatever the case and without patterns', async () => {
      const mark = newId('ses');
      const metadata = { mark };
      const one = await makeSession(api, { title: 'Straße nach OSLO (2.0)', metadata });
      const two = await makeSession(api, { metadata });
      const turn = { sessionId: two.id as string, runId: newId('run') };
      await server.app.get(SessionsService).beginTurn({ ...turn, owner });
      await server.app
        .get(SessionsService)
        .settleTurn({ ...turn, turn: 1, usage: NO_USAGE, cost: 0, title: 'Oslo by train' });
      const find = async (search: string) =>
        idsOf(await api.get(`${SESSIONS}?metadata[mark]=${mark}&search=${encodeURIComponent(search)}`)).sort();
      expect(await find('oslo')).toEqual([one.id, two.id].sort());
      expect(await find('STRASSE')).toEqual([]);
      expect(await find('straße NACH')).toEqual([one.id]);
      expect(await find('(2.0)')).toEqual([one.id]);
      expect(await find('o.lo')).toEqual([]);
      expect(await find('.*')).toEqual([]);
      await api.patch(`${SESSIONS}/${two.id}`, { title: 'Berlin' });
      expect(await find('train')).toEqual([]);
      expect(await find('berl')).toEqual([two.id]);
    });

    it('[S7] refuses odd limits and filters', async () => {
      for (const limit of ['-1', '0', 'NaN', '1e9', '1000000000', '1.5', '', '[1]'])
        expect(await api.get(`${SESSIONS}?limit=${limit}`)).toMatchObject({ status: 400, body: { field: 'limit' } });
      for (const query of ['limit[$gt]=1', 'metadata=x', 'metadata[$ne]=x', 'metadata[a b]=x', 'search=', 'ownerId=x'])
        expect(await api.get(`${SESSIONS}?${query}`)).toMatchObject({ status: 400 });
    });
  });

  describe('turns', () => {
    it('add up, and adding one twice changes nothing', async () => {
      const sessions = server.app.get(SessionsService);
      const { id } = await makeSession(api);
      const [one, two] = [newId('run'), newId('run')];
      const usage = { ...NO_USAGE, inputTokens: 10, outputTokens: 5 };
      expect(await sessions.beginTurn({ sessionId: id, owner, runId: one })).toMatchObject({
        turns: 1,
        activeRunId: one,
      });
      expect((await api.get(`${SESSIONS}/${id}`)).body).toMatchObject({ activeRun: { id: one } });
      const end = { sessionId: id as string, runId: one, turn: 1, usage, cost: null, title: 'By itself' };
      await sessions.settleTurn(end);
      expect((await api.get(`${SESSIONS}/${id}`)).body).toMatchObject({
        activeRun: null,
        usage,
        cost: null,
        title: 'By itself',
      });
      await sessions.beginTurn({ sessionId: id, owner, runId: two });
      await sessions.settleTurn(end);
      expect((await api.get(`${SESSIONS}/${id}`)).body).toMatchObject({ activeRun: { id: two }, usage });
      await api.patch(`${SESSIONS}/${id}`, { title: 'Mine' });
      await sessions.settleTurn({ ...end, runId: two, turn: 2, cost: 0.25, title: 'Other' });
      expect((await api.get(`${SESSIONS}/${id}`)).body).toMatchObject({
        activeRun: null,
        usage: { inputTokens: 20, outputTokens: 10 },
        cost: 0.25,
        title: 'Mine',
      });
    });

    it('make the session from a seed, once', async () => {
      const sessions = server.app.get(SessionsService);
      const sessionId = newId('ses');
      const seed = { title: 'Seeded', metadata: { a: 'b' } };
      const begin = () => sessions.beginTurn({ sessionId, owner, runId: newId('run'), seed });
      await Promise.all([begin(), begin(), begin()]);
      expect(await begin()).toMatchObject({ turns: 4 });
      expect((await api.get(`${SESSIONS}/${sessionId}`)).body).toMatchObject({ ...seed, usage: NO_USAGE, tools: [] });
    });

    it('never revive a deleted session, nor touch one of somebody else', async () => {
      const sessions = server.app.get(SessionsService);
      const { id } = await makeSession(api);
      const turn = { sessionId: id as string, runId: newId('run'), seed: {} };
      await expect(sessions.beginTurn({ ...turn, owner: { ...owner, ownerId: 'eve' } })).rejects.toMatchObject({
        code: 'session_not_found',
      });
      sessions.registerPurge('test', (session) => Promise.resolve(session === id ? 'later' : 'done'));
      await api.delete(`${SESSIONS}/${id}`);
      await expect(sessions.beginTurn({ ...turn, owner })).rejects.toMatchObject({ code: 'session_not_found' });
      expect((await api.get(`${SESSIONS}/${id}`)).status).toBe(404);
    });
  });
});

describe('sessions of several owners', () => {
  const bootstrap = newApiKey().text;
  let server: SessionServer;
  let ada: ApiClient;
  let eve: ApiClient;
  let boss: ApiClient;
  const key = async (wanted: object): Promise<ApiClient> => {
    const scopes = ['sessions:read', 'sessions:write'];
    const made = await server.api(bootstrap).post('/api/v1/keys', { name: 'test', scopes, ...wanted });
    expect(made).toMatchObject({ status: 201 });
    return server.api(made.body.key);
  };
  beforeAll(async () => {
    server = await SessionServer.start({ AUTH_MODE: 'apikey', BOOTSTRAP_API_KEY: bootstrap, MAX_SESSIONS: '12' });
    ada = await key({ ownerId: 'ada' });
    eve = await key({ ownerId: 'eve' });
    boss = await key({ ownerId: 'boss', role: 'admin' });
  });

  it('[S1] know nothing of each other; an admin sees those of the tenant', async () => {
    const hers = await makeSession(ada, { title: 'private', metadata: { a: 'b' } });
    const owner = { tenantId: 'default', ownerId: 'ada' };
    const blobId = await server.app
      .get(BlobsService)
      .put({ owner, sessionId: hers.id, bytes: PIXEL, mediaType: 'image/png' });
    const first = await server.say(
      hers.id,
      [1, 1, 0],
      'user',
      [{ type: 'image', mediaType: 'image/png', blobId }],
      owner,
    );
    const path = `${SESSIONS}/${hers.id}`;
    for (const answer of [
      await eve.get(path),
      await eve.patch(path, { title: 'mine' }),
      await eve.get(`${path}/messages`),
      await eve.get(`${path}/messages?before=${first}`),
      await eve.post(`${path}/fork`, {}),
      await eve.post(`${path}/fork`, { messageId: first }),
      await eve.get(`${path}/export`),
      await eve.delete(path),
    ])
      expect(answer).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
    expect(await eve.get(`/api/v1/blobs/${blobId}`)).toMatchObject({ status: 404, body: { code: 'blob_not_found' } });
    const theirs = await makeSession(eve, {});
    expect(await eve.post(`${SESSIONS}/${theirs.id}/fork`, { messageId: first })).toMatchObject({ status: 404 });
    for (const query of ['', '?search=priv', '?metadata[a]=b'])
      expect(idsOf(await eve.get(`${SESSIONS}${query}`))).not.toContain(hers.id);
    expect(idsOf(await ada.get(SESSIONS))).toEqual([hers.id]);
    expect((await ada.get(path)).body).toEqual(hers);

    expect(idsOf(await boss.get(SESSIONS)).sort()).toEqual([hers.id, theirs.id].sort());
    const fork = await boss.post(`${path}/fork`, {});
    expect(fork).toMatchObject({ status: 201, body: { title: 'private' } });
    expect((await ada.get(`${SESSIONS}/${fork.body.id}`)).status).toBe(404);
    const [copied] = (await boss.get(`${SESSIONS}/${fork.body.id}/messages`)).body.items;
    expect((await ada.get(`/api/v1/blobs/${copied.parts[0].blobId}`)).status).toBe(404);
    expect((await boss.get(`/api/v1/blobs/${copied.parts[0].blobId}`)).status).toBe(200);
  });

  it('need the scopes', async () => {
    const reader = await key({ ownerId: 'ada', scopes: ['sessions:read'] });
    const writer = await key({ ownerId: 'ada', scopes: ['sessions:write'] });
    expect((await reader.get(SESSIONS)).status).toBe(200);
    expect((await writer.get(SESSIONS)).status).toBe(403);
    for (const [method, path] of [
      ['POST', SESSIONS],
      ['POST', `${SESSIONS}/import`],
      ['POST', `${SESSIONS}/${newId('ses')}/fork`],
      ['PATCH', `${SESSIONS}/${newId('ses')}`],
      ['DELETE', `${SESSIONS}/${newId('ses')}`],
    ] as const)
      expect(await reader.ask(method, path, {})).toMatchObject({ status: 403 });
    expect(await server.api().get(SESSIONS)).toMatchObject({ status: 401 });
  });

  it('[S7] are as many as the tenant may have, whoever makes them and how', async () => {
    let last = await eve.post(SESSIONS, {});
    for (let n = 0; n < 20 && last.status === 201; n++) last = await eve.post(SESSIONS, {});
    expect(last).toMatchObject({ status: 429, body: { code: 'session_quota' } });
    const [{ id }] = (await eve.get(`${SESSIONS}?limit=1`)).body.items;
    expect(await ada.post(SESSIONS, {})).toMatchObject({ status: 429 });
    expect(await eve.post(`${SESSIONS}/${id}/fork`, {})).toMatchObject({ status: 429 });
    const { body } = await eve.get(`${SESSIONS}/${id}/export`);
    expect(await eve.post(`${SESSIONS}/import`, body)).toMatchObject({ status: 429 });
    await eve.delete(`${SESSIONS}/${id}`);
    expect(await ada.post(SESSIONS, {})).toMatchObject({ status: 201 });
  });
});
