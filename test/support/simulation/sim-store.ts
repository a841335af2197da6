import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import mongoose, { type Connection } from 'mongoose';
import { openEmbedded } from '@scorpio/persistence';
import { InteractionModel, InteractionSchema } from '../../../apps/api/src/runs/interaction.schema';
import { RUN_EVENTS, RunEventModel, RunEventSchema } from '../../../apps/api/src/runs/run-event.schema';
import { RunModel, RunSchema } from '../../../apps/api/src/runs/run.schema';
import { WorkerModel, WorkerSchema } from '../../../apps/api/src/runs/worker.schema';
import type { StoreVariant } from '../stores';
import { tempDir } from '../temp-dir';
import type { Models } from './sim-server';

/** Opens the store for the simulations of a `describe`, and takes the time over from the clock meanwhile. */
export function simStore(store: StoreVariant): () => Models {
  let connection: Connection;
  let models: Models;
  beforeAll(async () => {
    const url = store.env().MONGODB_URL;
    connection = url
      ? await mongoose.createConnection(url).asPromise()
      : await openEmbedded(join(tempDir(), 'simulation.db'), { appendOnly: [RUN_EVENTS] });
    models = {
      events: connection.model<RunEventModel>(RunEventModel.name, RunEventSchema),
      runs: connection.model<RunModel>(RunModel.name, RunSchema),
      interactions: connection.model<InteractionModel>(InteractionModel.name, InteractionSchema),
      workers: connection.model<WorkerModel>(WorkerModel.name, WorkerSchema),
    };
    await Promise.all(Object.values(models).map((model) => model.init()));
    // The servers that are killed and the writes that fail would fill the log.
    Logger.overrideLogger(false);
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'clearImmediate', 'nextTick', 'queueMicrotask', 'hrtime'] });
  });
  afterEach(() => jest.clearAllTimers());
  afterAll(async () => {
    jest.useRealTimers();
    await connection.close();
  });
  return () => models;
}
