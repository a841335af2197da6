/// <reference path="./native-driver.d.ts" />
import mongoose, { type Connection } from 'mongoose';
import nativeDriver from 'mongoose/lib/drivers/node-mongodb-native';
import { EmbeddedDatabase } from './database';
import { UnsupportedError } from './errors';
import type { SqliteSync } from './sqlite-file';

/** Scheme of the connection string of the embedded store; the rest of it is the path of the file. */
const SCHEME = 'embedded:';

/**
 * Mongoose's own connection class with an {@link EmbeddedDatabase} in the place of MongoDB's client. Its collections
 * are Mongoose's own too: they pass every call on to `db.collection(name)`.
 */
export class EmbeddedConnection extends nativeDriver.Connection {
  override async createClient(uri: string, options: EmbeddedOptions = {}): Promise<this> {
    this.readyState = mongoose.ConnectionStates.connecting;
    this._connectionString = uri;
    Object.assign(this.config, {
      autoIndex: options.autoIndex ?? true,
      autoCreate: options.autoCreate ?? true,
      bufferCommands: options.bufferCommands ?? false,
    });
    const database = new EmbeddedDatabase(uri.slice(SCHEME.length), options.sync, options.appendOnly);
    this.db = database;
    this.client = {
      db: () => database,
      close: async () => database.close(),
      startSession: (): never => {
        throw new UnsupportedError('sessions and transactions');
      },
    };
    this.name = database.databaseName;
    this.host = 'embedded';
    this.onOpen();
    return this;
  }
}

export interface EmbeddedOptions {
  sync?: SqliteSync;
  /** Collections that are only added to, read and deleted from by `_id`; their writes cost a fraction. */
  appendOnly?: readonly string[];
  autoIndex?: boolean;
  autoCreate?: boolean;
  bufferCommands?: boolean;
}

/**
 * Opens the embedded store. Makes its connection class itself instead of calling `mongoose.setDriver`, which would
 * change the driver of the whole process and only while no connection is open.
 * @param file path of the SQLite file, or `:memory:`
 */
export async function openEmbedded(file: string, options: EmbeddedOptions = {}): Promise<Connection> {
  const connection = new EmbeddedConnection(mongoose) as unknown as Connection;
  return connection.openUri(SCHEME + file, options);
}
