import { NO_USAGE } from '@scorpio/events';
import { PartBatch } from './part-batch';

describe('PartBatch', () => {
  it('makes one delta of what a read brought of a part', () => {
    const batch = new PartBatch();
    batch.startText('a');
    batch.startToolCall('b', 'c1', 'look');
    for (const text of ['one ', 'two ', 'three']) {
      batch.delta('a', text);
      batch.delta('b', text);
    }
    expect(batch.take()).toEqual([
      { type: 'part_start', id: 'a', kind: 'text' },
      { type: 'part_start', id: 'b', kind: 'tool_call', callId: 'c1', name: 'look' },
      { type: 'delta', id: 'a', text: 'one two three' },
      { type: 'delta', id: 'b', text: 'one two three' },
    ]);
    batch.delta('a', '!');
    expect(batch.take()).toEqual([{ type: 'delta', id: 'a', text: '!' }]);
    expect(batch.take()).toEqual([]);
  });

  it('holds half of a surrogate pair back until the other half comes', () => {
    const batch = new PartBatch();
    batch.startText('a');
    batch.take();
    batch.delta('a', 'x\ud83c');
    expect(batch.take()).toEqual([{ type: 'delta', id: 'a', text: 'x' }]);
    batch.delta('a', '\udf89y');
    expect(batch.take()).toEqual([{ type: 'delta', id: 'a', text: '🎉y' }]);
  });

  it('replaces a half whose other half never comes', () => {
    const batch = new PartBatch();
    batch.startText('a');
    batch.delta('a', '\udf89y\ud83cz');
    expect(batch.take()[1]).toEqual({ type: 'delta', id: 'a', text: '\ufffdy\ufffdz' });
    batch.delta('a', 'x\ud83c');
    batch.end('a');
    expect(batch.take()).toEqual([
      { type: 'delta', id: 'a', text: 'x\ufffd' },
      { type: 'part_end', id: 'a' },
    ]);
  });

  it('ends a part once, with what the vendor keeps of it', () => {
    const batch = new PartBatch();
    batch.startReasoning('a');
    batch.end('a', { kept: true });
    batch.end('a');
    expect(batch.take().slice(1)).toEqual([{ type: 'part_end', id: 'a', native: { kept: true } }]);
  });

  it('ends what is open before it finishes', () => {
    const batch = new PartBatch();
    batch.startText('a');
    batch.finish('length', 'max', { ...NO_USAGE });
    expect(batch.take().map((part) => part.type)).toEqual(['part_start', 'part_end', 'finish']);
  });

  it('tells writing from thinking', () => {
    const batch = new PartBatch();
    expect(batch.isWriting).toBe(false);
    batch.startReasoning('r');
    expect(batch.isWriting).toBe(false);
    batch.startText('t');
    expect(batch.isWriting).toBe(true);
    batch.end('t');
    expect(batch.isWriting).toBe(false);
  });
});
