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
import { RunJournal } from './run-journal';
import { RunRepository } from './run.repository';
import { RunModel, RunSchema, type InboxItem } from './run.schema';

const answerTo = (inputId: string): InboxItem => ({
  inputId,
  kind: 'answer',
  by: 'ada',
  answer: { outcome: 'answered', value: 'yes' },
  at: new Date(),
});

describe('a run that parks', () => {
  it('goes on with an answer to what it asks, and is not kept awake by any other', async () => {
    const connection = await openEmbedded(join(tempDir(), 'runs.db'), { autoIndex: true, autoCreate: true });
    const runs = new RunRepository(connection.model<RunModel>(RunModel.name, RunSchema));
    const bus = (await Test.createTestingModule({ imports: [BusModule] }).compile()).get(Bus);
    const finisher = { requeueSteers: async () => undefined } as unknown as RunFinisher;
    const inbox = new RunInbox(runs, {} as InteractionRepository, finisher, bus);
    const owner = { tenantId: 'local', ownerId: 'local' };
    const id = newId('run');
    const place = {
      sessionId: newId('ses'),
      order: `1${id}`,
      input: '',
      model: 'm',
      position: 0,
      inbox: [],
      steers: [],
    };
    const run = await runs.insertActive(
      { _id: id, ...owner, ...place, onBusy: 'enqueue', createdAt: new Date() },
      'wrk',
    );
    const journal = new RunJournal(
      id,
      1,
      0,
      () => undefined,
      () => undefined,
      () => undefined,
    );
    const live = { run: run!, journal, taken: new Set<string>() } as LiveRun;
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
