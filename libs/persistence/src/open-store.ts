import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AppConfig } from '@scorpio/config';
import { DomainError } from '@scorpio/kernel';
import mongoose, { type Connection, type ConnectOptions } from 'mongoose';
import { openEmbedded } from './embedded';
import { dataDirUnusable, StoreLock } from './store-lock';

/** Short, so that a dead server ends the boot, or a call, with one clear line instead of a long silence. */
const MONGODB_OPTIONS: ConnectOptions = {
  bufferCommands: false,
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 20_000,
  retryWrites: true,
  writeConcern: { w: 'majority', journal: true },
};

/** MongoDB's code for refused credentials. */
const AUTHENTICATION_FAILED = [18, 8000];

export interface StoreOptions {
  /** False lets a short program work beside the server that owns the data folder of the embedded store. */
  lock?: boolean;
  /** Collections that are only added to, read and deleted from by `_id`: the embedded store writes them cheaper. */
  appendOnly?: readonly string[];
}

/**
 * Opens the store that the configuration names: one try, no retries.
 * @throws DomainError unavailable `store_unreachable` or `data_dir_unusable`, conflict `data_dir_locked`
 */
export function openStore(config: AppConfig, { lock = true, appendOnly }: StoreOptions = {}): Promise<Connection> {
  const { mongodbUrl } = config.store;
  return mongodbUrl ? openMongodb(mongodbUrl, config.store.autoIndex) : openLocal(config, lock, appendOnly);
}

async function openMongodb(url: string, autoIndex: boolean): Promise<Connection> {
  const options = { ...MONGODB_OPTIONS, autoIndex: false, autoCreate: autoIndex };
  // The connection is thrown away with the error, so that nothing goes on trying behind a failed boot.
  const connection = mongoose.createConnection();
  try {
    return await connection.openUri(url, options);
  } catch (error) {
    await connection.destroy().catch(() => undefined);
    throw new DomainError('unavailable', 'store_unreachable', `${unreachable(error)} (MONGODB_URL, ${hostsOf(url)}).`);
  }
}

/** The error itself stays out of it: texts of the driver may repeat parts of the URL. */
function unreachable(error: unknown): string {
  const { code, name } = error as { code?: number; name?: string };
  if (code !== undefined && AUTHENTICATION_FAILED.includes(code)) return 'MongoDB refused the credentials';
  if (name === 'MongoParseError' || name === 'MongoInvalidArgumentError') return 'The URL of MongoDB is not valid';
  return 'MongoDB cannot be reached';
}

/** The hosts of a connection string, never its credentials, even where those hold signs they should not. */
function hostsOf(url: string): string {
  const rest = url.slice(url.indexOf('//') + 2);
  return rest.slice(rest.lastIndexOf('@') + 1).split(/[/?]/)[0];
}

async function openLocal(config: AppConfig, lock: boolean, appendOnly?: readonly string[]): Promise<Connection> {
  const storeLock = new StoreLock(config.dataDir);
  if (lock) storeLock.acquire();
  try {
    mkdirSync(config.dataDir, { recursive: true });
    const connection = await openEmbedded(join(config.dataDir, 'scorpio.db'), {
      sync: config.store.sqliteSync,
      appendOnly,
      autoIndex: false,
      autoCreate: config.store.autoIndex,
    });
    connection.once('close', () => storeLock.release());
    return connection;
  } catch (error) {
    storeLock.release();
    throw dataDirUnusable(config.dataDir, error);
  }
}
