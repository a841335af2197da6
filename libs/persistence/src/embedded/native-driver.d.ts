/** Mongoose's own driver: untyped there, though `setDriver` documents its parts. Only what we build on is declared. */
declare module 'mongoose/lib/drivers/node-mongodb-native' {
  class Connection {
    constructor(base: unknown);
    readyState: number;
    db: unknown;
    client: unknown;
    name: string;
    host: string;
    config: Record<string, unknown>;
    _connectionString: string;
    onOpen(): void;
    createClient(uri: string, options?: object): Promise<this>;
  }
  class BulkWriteResult {
    constructor(outcome: object, ordered: boolean);
  }
  const driver: { Connection: typeof Connection; Collection: unknown; BulkWriteResult: typeof BulkWriteResult };
  export default driver;
}
