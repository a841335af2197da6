import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { Bus, BusModule } from '@scorpio/bus';
import { loadConfig } from '@scorpio/config';
import { openEmbedded } from '@scorpio/persistence';
import { tempDir } from '../../../../test/support/temp-dir';
import { RunLeases } from './run-lease.service';
import { RunRepository } from './run.repository';
import { RunModel, RunSchema } from './run.schema';
import { WorkerRepository } from './worker.repository';
import { WorkerModel, WorkerSchema } from './worker.schema';

describe('the leases of a worker', () => {
  it('forget workers that ended without a word, and no live one', async () => {
    const connection = await openEmbedded(join(tempDir(), 'workers.db'), { autoIndex: true, autoCreate: true });
    const model = connection.model<WorkerModel>(WorkerModel.name, WorkerSchema);
    const workers = new WorkerRepository(model);
    const runs = new RunRepository(connection.model<RunModel>(RunModel.name, RunSchema));
    const bus = (await Test.createTestingModule({ imports: [BusModule] }).compile()).get(Bus);
    const config = loadConfig({ SECRET_KEY: 'k'.repeat(40), RUN_LEASE_MS: '300' });
    const leases = new RunLeases(runs, workers, bus, config);

    await model.collection.insertOne({ _id: 'wrk_dead', at: new Date(Date.now() - 60_000) } as never);
    await workers.beat('wrk_other');
    await leases.forgetSilent();
    expect(await model.countDocuments()).toBe(2);

    await leases.beat();
    await leases.forgetSilent();
    const left = await model.find().lean<{ _id: string }[]>();
    expect(left.map(({ _id }) => _id).sort()).toEqual(['wrk_other', leases.worker].sort());
    await connection.close();
  });
});
