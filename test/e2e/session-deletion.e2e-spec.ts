import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ApiClient } from '../support/api-client';
import { until } from '../support/fault-rig';
import { ServerProcess } from '../support/server-process';
import { SseReader, type RunRead } from '../support/sse-reader';

const PICTURE = { type: 'image', mediaType: 'image/png', data: Buffer.from('a picture').toString('base64') };

/** Rows of the embedded store that speak of any of these ids, by table; those of the access log and the ledger apart. */
function traces(dataDir: string, ids: string[]): Record<string, number> {
  const database = new DatabaseSync(join(dataDir, 'data', 'scorpio.db'), { readOnly: true });
  try {
    const tables = database.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).all() as { name: string }[];
    const kept = tables.filter(({ name }) => !/^(sqlite_|audit|usage)/.test(name) && isOfCollection(database, name));
    const counts = kept.map(({ name }): [string, number] => {
      const columns = columnsOf(database, name).map((column) => `ifnull("${column}", '')`);
      const where = ids.map(() => `${columns.join(' || ')} LIKE ?`).join(' OR ');
      const row = database
        .prepare(`SELECT count(*) AS n FROM "${name}" WHERE ${where}`)
        .get(...ids.map((id) => `%${id}%`));
      return [name, Number(row?.n)];
    });
    return Object.fromEntries(counts.filter(([, n]) => n > 0));
  } finally {
    database.close();
  }
}

const columnsOf = (database: DatabaseSync, table: string): string[] =>
  database
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => name as string);

/** Whether documents are in there, or ids of such: bookkeeping has neither. */
const isOfCollection = (database: DatabaseSync, table: string): boolean =>
  columnsOf(database, table).some((column) => column === 'doc' || column === '_id');

describe('a session that is deleted while it answers', () => {
  let server: ServerProcess;
  let api: ApiClient;
  beforeAll(async () => {
    // It never comes to sweep before it is killed.
    server = await ServerProcess.start({ SWEEP_INTERVAL_MS: '600000', SESSION_PURGE_DELAY_MS: '0', LOG_LEVEL: 'warn' });
    api = new ApiClient(server.url);
  });
  afterAll(() => server?.close());

  let sessionId: string;
  let ids: string[];

  it('[S4] ends its stream with run.cancelled, and cannot be deleted twice', async () => {
    const first = await api.post('/api/v1/sessions', { title: 'Doomed' });
    sessionId = first.body.id;
    const path = `/api/v1/chat/${sessionId}/message`;
    const answered = await api.post(path, { message: [{ type: 'text', text: 'Look.' }, PICTURE] });
    expect(answered).toMatchObject({ status: 200, body: { run: { status: 'completed' } } });
    const { items } = (await api.get(`/api/v1/sessions/${sessionId}/messages`)).body;
    const { blobId } = items[0].parts[1];
    const live = await api.post(path, { message: '/slow 50\n/long 2000' }, { prefer: 'respond-async' });
    expect(live.status).toBe(202);
    ids = [sessionId, answered.body.run.id, live.body.id, blobId];
    expect(Object.keys(traces(server.dataDir, ids)).sort()).toEqual(
      expect.arrayContaining(['blob_chunks', 'blobs', 'messages', '__rows_run_events', 'runs', 'sessions']),
    );

    const reading: Promise<RunRead> = new SseReader(server.url).follow(live.body.id);
    await until('the answer has begun', () => (traces(server.dataDir, [live.body.id]).__rows_run_events ?? 0) > 3);
    expect(await api.delete(`/api/v1/sessions/${sessionId}`)).toMatchObject({ status: 204 });
    expect(await api.delete(`/api/v1/sessions/${sessionId}`)).toMatchObject({ status: 404 });
    const { events, faults } = await reading;
    expect(faults).toEqual([]);
    expect(events.at(-1)?.event).toMatchObject({ type: 'run.cancelled', reason: 'session_deleted' });
    expect(await api.post(path, { message: 'hi' })).toMatchObject({ status: 404, body: { code: 'session_not_found' } });
  });

  it('[P6] leaves nothing behind, though the server is killed before it is done', async () => {
    expect(traces(server.dataDir, ids)).toMatchObject({ sessions: 1 });
    await server.kill();
    await server.restart({ SWEEP_INTERVAL_MS: '20' });
    await until('all is gone', () => Object.keys(traces(server.dataDir, ids)).length === 0);
    expect(traces(server.dataDir, ids)).toEqual({});
    expect((await api.post('/api/v1/chat/sse', { message: 'hi' })).status).toBe(200);
  });
});
