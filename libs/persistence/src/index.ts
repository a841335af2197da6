export { PersistenceModule } from './persistence.module';
export { documentOptions } from './document-options';
export { isDuplicateKey, failedInserts } from './mongo-errors';
export { encodeCursor, decodeCursor } from './cursor';
export { deleteInChunks } from './delete-in-chunks';
export { Sweeper, type SweepTask } from './sweeper';
export { StoreHealth } from './store-health';
export { StoreLock } from './store-lock';
export { openEmbedded, UnsupportedError } from './embedded';
