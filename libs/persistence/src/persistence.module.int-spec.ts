import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongooseModule, getConnectionToken, getModelToken } from '@nestjs/mongoose';
import { Test, type TestingModule } from '@nestjs/testing';
import { AppConfig, ConfigModule, loadConfig } from '@scorpio/config';
import { Schema, type Connection, type Model } from 'mongoose';
import { deleteInChunks } from './delete-in-chunks';
import { documentOptions } from './document-options';
import { PersistenceModule } from './persistence.module';
import { StoreHealth } from './store-health';

const schema = new Schema(
  { _id: String, key: { type: String }, n: Number },
  { ...documentOptions, collection: 'things' },
);
schema.index({ key: 1 }, { unique: true, sparse: true });
schema.index({ n: 1 });
interface Thing {
  _id: string;
  key?: string;
  n?: number;
}

describe('The persistence module', () => {
  const folders: string[] = [];
  const modules: TestingModule[] = [];
  const servers: Server[] = [];
  const folder = (): string => {
    folders.push(mkdtempSync(join(tmpdir(), 'scorpio-store-')));
    return folders.at(-1)!;
  };
  const boot = async (env: Record<string, string>, options?: { lock?: boolean }): Promise<TestingModule> => {
    const config: AppConfig = loadConfig({ SECRET_KEY: 'k'.repeat(40), ...env });
    const module = await Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        PersistenceModule.forRoot(options),
        MongooseModule.forFeature([{ name: 'Thing', schema }]),
      ],
    }).compile();
    modules.push(module);
    return module.init();
  };
  const things = (module: TestingModule): Model<Thing> => module.get(getModelToken('Thing'));

  afterEach(async () => {
    for (const module of modules.splice(0)) await module.close();
    for (const server of servers.splice(0)) server.close();
  });
  afterAll(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

  it('keeps documents over a restart, with the indexes of their schemas', async () => {
    const DATA_DIR = folder();
    const first = await boot({ DATA_DIR });
    await things(first).create({ _id: 'a', key: 'k' });
    await first.close();

    const second = await boot({ DATA_DIR });
    expect(await things(second).findById('a').lean()).toEqual({ _id: 'a', key: 'k' });
    await expect(things(second).create({ _id: 'b', key: 'k' })).rejects.toMatchObject({ code: 11_000 });
    await expect(things(second).create({ _id: 'c', typo: 1 } as never)).rejects.toThrow(/typo/);
    const health = second.get(StoreHealth);
    expect(health.kind).toBe('embedded');
    expect(await health.ping()).toBeGreaterThanOrEqual(0);
  });

  it('refuses a data folder that another process of the product owns, not a program beside it', async () => {
    const DATA_DIR = folder();
    const server = await boot({ DATA_DIR });
    await expect(boot({ DATA_DIR })).rejects.toMatchObject({ kind: 'conflict', code: 'data_dir_locked' });
    const program = await boot({ DATA_DIR }, { lock: false });
    await things(program).create({ _id: 'a' });
    expect(await things(server).countDocuments()).toBe(1);
    await server.close();
    await boot({ DATA_DIR });
  });

  it('says so when the data folder cannot be used or its file is none of ours', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, 'x');
    await expect(boot({ DATA_DIR: file })).rejects.toMatchObject({ kind: 'unavailable', code: 'data_dir_unusable' });
    const DATA_DIR = folder();
    writeFileSync(join(DATA_DIR, 'scorpio.db'), 'no database, but longer than its header is '.repeat(100));
    await expect(boot({ DATA_DIR })).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining('not a database'),
    });
    rmSync(join(DATA_DIR, 'scorpio.db'));
    await boot({ DATA_DIR }); // the failed boot let go of the lock
  });

  it('says in one line that MongoDB cannot be reached, without the credentials', async () => {
    // It takes connections and hangs up, as a proxy does that has lost its server.
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    servers.push(server);
    await new Promise((ready) => server.once('listening', ready));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const written = jest.spyOn(process.stderr, 'write');
    const error = await boot({ MONGODB_URL: `mongodb://someone:hush@${host}/db` }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      kind: 'unavailable',
      code: 'store_unreachable',
      message: expect.stringContaining(host),
    });
    expect(`${(error as Error).stack}${JSON.stringify(error)}`).not.toMatch(/hush|someone/);
    expect(written).not.toHaveBeenCalled();
    written.mockRestore();
    const odd = 'mongodb://someone:hu/sh@nowhere/db?bad=@';
    await expect(boot({ MONGODB_URL: odd })).rejects.toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/someone|hu/) }),
    );
  });

  it('with DB_AUTO_INDEX=false is not ready until somebody made the unique indexes', async () => {
    const DATA_DIR = folder();
    const module = await boot({ DATA_DIR, DB_AUTO_INDEX: 'false' });
    const health = module.get(StoreHealth);
    await expect(health.ping()).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'store_indexes_missing',
      message: expect.stringContaining('things(key)'),
    });
    await things(module).collection.createIndex({ key: 1 }, { unique: true, sparse: true });
    expect(await health.ping()).toBeGreaterThanOrEqual(0);
  });

  it('stops the boot where a unique index cannot be made', async () => {
    const DATA_DIR = folder();
    const module = await boot({ DATA_DIR, DB_AUTO_INDEX: 'false' });
    await things(module).insertMany([
      { _id: 'a', key: 'k' },
      { _id: 'b', key: 'k' },
    ]);
    await module.close();
    await expect(boot({ DATA_DIR })).rejects.toMatchObject({
      code: 'store_index_failed',
      message: expect.stringContaining('things'),
    });
  });

  it('says that the store does not answer once it is closed', async () => {
    const module = await boot({ DATA_DIR: folder() });
    await module.get<Connection>(getConnectionToken()).close();
    await expect(module.get(StoreHealth).ping()).rejects.toMatchObject({
      kind: 'unavailable',
      code: 'store_unavailable',
    });
  });

  it('deletes in chunks, letting others in between them', async () => {
    const module = await boot({ DATA_DIR: folder() });
    const model = things(module);
    await model.insertMany(Array.from({ length: 25 }, (_, n) => ({ _id: String(n), n: n < 23 ? 1 : 2 })));
    let others = 0;
    const turn = (): void => void (others++, (again = setImmediate(turn)));
    let again = setImmediate(turn);
    expect(await deleteInChunks(model, { n: 1 }, 10)).toBe(23);
    clearImmediate(again);
    expect(others).toBeGreaterThanOrEqual(2);
    expect(await model.countDocuments()).toBe(2);
    const stopped = AbortSignal.abort();
    expect(await deleteInChunks(model, { n: 2 }, 10, stopped)).toBe(0);
  });
});
