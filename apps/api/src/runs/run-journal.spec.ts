import type { RunEvent } from '@scorpio/events';
import { RunJournal } from './run-journal';

const nothing = (): void => undefined;

describe('what a run says while the store is busy', () => {
  it('is joined, in events and batches that no reader would be too small to hold, and all of it in order', () => {
    const journal = new RunJournal('run_1', 1, 4, nothing, nothing, nothing);
    const token = 'x'.repeat(30_000);
    for (let n = 0; n < 20; n++) journal.push([{ type: 'part.delta', part: 1, offset: n * token.length, text: token }]);

    const seen: Extract<RunEvent, { type: 'part.delta' }>[] = [];
    let last = 4;
    while (journal.dirty) {
      const batch = journal.seal()!;
      expect([batch.s, batch.t]).toEqual([last + 1, last + batch.ev.length]);
      expect(batch.ev.join('').length).toBeLessThan(250_000);
      seen.push(...batch.ev.map((text) => JSON.parse(text)));
      last = batch.t;
      journal.settle('stored');
    }

    expect(seen.length).toBeLessThan(20);
    let offset = 0;
    for (const event of seen) {
      expect(event).toMatchObject({ offset, seq: 5 + seen.indexOf(event) });
      expect(event.text.length).toBeLessThan(100_000);
      offset += event.text.length;
    }
    expect(offset).toBe(20 * token.length);
    expect(journal.full).toBe(false);
  });
});
