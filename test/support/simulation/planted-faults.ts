import type { Plant } from './runs-room';

/** A fault that the protocol of the event log is there to keep out. */
export interface PlantedFault {
  title: string;
  /** What it does to the product's source. */
  plants: Plant[];
  /** How the simulation must say that it found it. */
  wrong: string;
}

export const PLANTED_FAULTS: PlantedFault[] = [
  {
    title: 'no fence: who lost its slot goes on behind the tail',
    wrong: 'an old owner wrote behind the fence of a later one',
    plants: [
      {
        file: 'event-log.repository.ts',
        find: "return stored?.b === batch.b ? 'stored' : 'fenced';",
        replace: `
        if (stored?.b === batch.b) return 'stored';
        const runId = batch._id.slice(0, batch._id.indexOf(':'));
        const first = (await this.tail(runId))!.t + 1;
        const ev = batch.ev.map((text, at) => text.replace(/"seq":\\d+/, '"seq":' + (first + at)));
        Object.assign(batch, { _id: slotId(runId, first), s: first, t: first + ev.length - 1, ev });
        return (await this.append([batch]))[0];`,
      },
      { file: 'run-journal.ts', find: 'this.acked = batch.t;', replace: 'this.acked = this.sealed = batch.t;' },
      {
        file: 'run-starter.service.ts',
        find: 'this.journals.open(run, event.seq)',
        replace: 'this.journals.open(run, batch.t)',
      },
    ],
  },
  {
    title: 'no higher-epoch check: a slow claimant does not see that it was overtaken',
    wrong: 'an old owner wrote behind the fence of a later one',
    plants: [{ file: 'run-takeover.ts', find: 'batches.some((batch) => batch.e > run.epoch)', replace: 'false' }],
  },
  {
    title: 'publish before store: readers see a batch when it is sent',
    wrong: 'a client saw what is not in the log',
    plants: [
      {
        file: 'run-journal.ts',
        find: '    return this.frozen;\n  }\n\n  /** Takes the outcome',
        replace: '    this.onStored(this.frozen);\n    return this.frozen;\n  }\n\n  /** Takes the outcome',
      },
      { file: 'run-journal.ts', find: '    this.onStored(batch);\n', replace: '' },
    ],
  },
  {
    title: 'no write-ahead: nobody waits for the record before a side effect',
    wrong: 'the side effect happened twice',
    plants: [{ file: 'run-journal.ts', find: 'if (seq <= this.acked) return', replace: 'return' }],
  },
  {
    title: 'live frames unchecked: a reader takes whatever comes',
    wrong: 'a client lost events or got them twice',
    plants: [
      {
        file: 'run-stream.service.ts',
        find: 'beginningWith(tail.ring, cursor + 1)',
        replace: 'tail.ring.find((frames) => frames.last > cursor)',
      },
      { file: 'run-frames.ts', find: 'if (s > last + 1) break;', replace: '' },
    ],
  },
];
