import type { LogBatch } from './run-event.schema';
import { byeFrame, primingFrame, renderFrames, toFrames } from './run-frames';

const RUN = 'run_01ARZ3NDEKTSV4RRFFQ69G5FAV';
const batch = (first: number, ...types: string[]): LogBatch => ({
  ...{ _id: `${RUN}:${first}`, s: first, t: first + types.length - 1, e: 1, b: 'token' },
  ty: types,
  ev: types.map((type, index) => JSON.stringify({ seq: first + index, type })),
});

describe('the frames of a batch', () => {
  it('carry the cursor, the type and the text of each event', () => {
    expect(renderFrames(RUN, batch(4, 'part.delta', 'run.completed'), 3)).toBe(
      `id: ${RUN}:4\nevent: part.delta\ndata: {"seq":4,"type":"part.delta"}\n\n` +
        `id: ${RUN}:5\nevent: run.completed\ndata: {"seq":5,"type":"run.completed"}\n\n`,
    );
  });

  it.each([
    [0, [4, 5, 6]],
    [3, [4, 5, 6]],
    [4, [5, 6]],
    [5, [6]],
    [6, []],
    [9, []],
  ])('begin after cursor %i', (cursor, seqs) => {
    const text = renderFrames(RUN, batch(4, 'part.delta', 'part.delta', 'part.delta'), cursor);
    expect([...text.matchAll(/^id: .*:(\d+)$/gm)].map(([, seq]) => Number(seq))).toEqual(seqs);
  });

  it('know where they are and whether the run rests after them', () => {
    expect(toFrames(RUN, batch(1, 'run.created', 'run.started'))).toMatchObject({ first: 1, last: 2, end: undefined });
    expect(toFrames(RUN, batch(7, 'run.failed'))).toMatchObject({ first: 7, last: 7, end: 'terminal' });
    expect(toFrames(RUN, batch(7, 'run.parked'))).toMatchObject({ end: 'parked' });
    const frames = toFrames(RUN, batch(7, 'run.failed'));
    expect(frames.bytes.toString()).toBe(renderFrames(RUN, frames.batch, 0));
  });

  it('stand between frames that are no events: one with the cursor, one without', () => {
    expect(primingFrame(RUN, 3, 912.6)).toBe(`retry: 913\nid: ${RUN}:3\n\n`);
    expect(byeFrame('drain', 200)).toBe('retry: 200\nevent: stream.bye\ndata: {"reason":"drain"}\n\n');
  });
});
