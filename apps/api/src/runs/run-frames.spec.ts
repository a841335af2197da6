import type { LogBatch } from './run-event.schema';
import { byeFrame, primingFrame, toFrames } from './run-frames';

const RUN = 'run_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const batch = (first: number, ...types: string[]): LogBatch => ({
  ...{ _id: `${RUN}:${first}`, s: first, t: first + types.length - 1, e: 1, b: 'token' },
  ty: types,
  ev: types.map((type, index) => JSON.stringify({ seq: first + index, type })),
});

const text = (frames = toFrames(RUN, [], 0)): string => frames?.bytes.toString() ?? '';

describe('the frames of batches', () => {
  it('carry the cursor, the type and the text of each event', () => {
    expect(text(toFrames(RUN, [batch(4, 'part.delta', 'run.completed')], 3))).toBe(
      `id: ${RUN}:4\nevent: part.delta\ndata: {"seq":4,"type":"part.delta"}\n\n` +
        `id: ${RUN}:5\nevent: run.completed\ndata: {"seq":5,"type":"run.completed"}\n\n`,
    );
  });

  it.each([
    [0, []],
    [3, [4, 5, 6, 7]],
    [4, [5, 6, 7]],
    [5, [6, 7]],
    [6, [7]],
    [7, []],
    [10, []],
  ])('begin after cursor %i and end before a gap', (cursor, seqs) => {
    const batches = [batch(4, 'part.delta', 'part.delta', 'part.delta'), batch(7, 'part.delta'), batch(9, 'x')];
    expect(
      [...text(toFrames(RUN, batches, cursor)).matchAll(/^id: .*:(\d+)$/gm)].map(([, seq]) => Number(seq)),
    ).toEqual(seqs);
  });

  it('know where they are and whether the run rests after them', () => {
    const made = [batch(1, 'run.created', 'run.started'), batch(3, 'run.parked'), batch(4, 'run.failed')];
    expect(toFrames(RUN, made.slice(0, 1), 0)).toMatchObject({ first: 1, last: 2, end: undefined });
    expect(toFrames(RUN, made.slice(0, 2), 1)).toMatchObject({ first: 2, last: 3, end: 'parked' });
    expect(toFrames(RUN, made, 0)).toMatchObject({ first: 1, last: 4, end: 'terminal' });
  });

  it('stand between frames that are no events: one with the cursor, one without', () => {
    expect(primingFrame(RUN, 3, 912.6)).toBe(`retry: 913\nid: ${RUN}:3\n\n`);
    expect(byeFrame('drain', 200)).toBe('retry: 200\nevent: stream.bye\ndata: {"reason":"drain"}\n\n');
  });
});
