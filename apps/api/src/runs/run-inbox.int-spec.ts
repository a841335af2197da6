import { join } from 'node:path';
import { Test } from '@nestjs/testing';
import { Bus, BusModule } from '@scorpio/bus';
import { newId } from '@scorpio/kernel';
import { openEmbedded } from '@scorpio/persistence';
import { tempDir } from '../../../../test/support/temp-dir';
import type { InteractionRepository } from './interaction.repository';
import type { LiveRun } from './live-run';
import type { RunFinisher } from './run-finisher.service';
import { RunInbox } from './run-inbox.service';
import { Fenced, RunJournal } from './run-journal';
import { RunRepository } from './run.repository';
import { RunModel, RunSchema, type InboxItem } from './run.schema';

const answerTo = (inputId: string): InboxItem => ({
  inputId,
  kind: 'answer',
  by: 'ada',
  answer: { outcome: 'answered', value: 'yes' },
  at: new Date(),
});

const owner = { tenantId: 'local', ownerId: 'local' };

/** A run of its own in a store of its own, and its inbox. */
async function begun() {
  const connection = await openEmbedded(join(tempDir(), 'runs.db'), { autoIndex: true, autoCreate: true });
  const runs = new RunRepository(connection.model<RunModel>(RunModel.name, RunSchema));
  const bus = (await Test.createTestingModule({ imports: [BusModule] }).compile()).get(Bus);
  const finisher = { requeueSteers: async () => undefined } as unknown as RunFinisher;
  const inbox = new RunInbox(runs, {} as InteractionRepository, finisher, bus);
  const id = newId('run');
  const place = { sessionId: newId('ses'), order: `1${id}`, input: '', model: 'm', position: 0, inbox: [], steers: [] };
  const run = await runs.insertActive({ _id: id, ...owner, ...place, onBusy: 'enqueue', createdAt: new Date() }, 'wrk');
  const nothing = (): void => undefined;
  const live = { run: run!, journal: new RunJournal(id, 1, 0, nothing, nothing, nothing), taken: new Set<string>() };
  return { connection, runs, inbox, id, live: live as LiveRun };
}

describe('a run that parks', () => {
  it('goes on with an answer to what it asks, and is not kept awake by any other', async () => {
    const { connection, runs, inbox, id, live } = await begun();
    const parked = { type: 'run.parked', interactions: ['int_asked'], expiresAt: '2030-01-01T00:00:00Z' } as const;

    await runs.answer(id, answerTo('int_other'));
    await runs.answer(id, answerTo('int_asked'));
    expect(await inbox.park(live, { ...parked, interactions: ['int_asked'] })).toBe(false);
    live.taken.add('int_asked');
    expect(await inbox.park(live, { ...parked, interactions: ['int_next'] })).toBe(true);
    expect(await runs.find(owner, id)).toMatchObject({ status: 'waiting_input', inbox: [] });
    await connection.close();
  });
});

describe('a run that would complete', () => {
  it('goes on with what came meanwhile, and stops where it has another owner', async () => {
    const { connection, runs, inbox, id, live } = await begun();
    await runs.answer(id, answerTo('int_late'));
    expect(await inbox.close(live)).toBe(false);
    await runs.pull(id, ['int_late']);
    await runs.takeOver(live.run, 'wrk_other');
    await expect(inbox.close(live)).rejects.toBeInstanceOf(Fenced);
    expect(await inbox.close({ ...live, run: { ...live.run, epoch: 2 } })).toBe(true);
    await connection.close();
  });
});
