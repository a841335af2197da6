import { tellProgress } from './run-progress';

const frame = (type: string, event: object): string =>
  `id: run_1:1\nevent: ${type}\ndata: ${JSON.stringify({ type, ...event })}\n\n`;

describe('the progress of a run', () => {
  const told = async (...frames: (string | Buffer)[]): Promise<(string | undefined)[]> => {
    const messages: (string | undefined)[] = [];
    await tellProgress(
      (async function* () {
        yield* frames;
      })(),
      async (message) => void messages.push(message),
    );
    return messages;
  };

  it('tells steps and tools, in order, and nothing of the text', async () => {
    const step = frame('step.started', { step: 1, model: 'demo/scribe' });
    const delta = frame('part.delta', { text: 'event: step.started' });
    const tool = frame('tool.requested', { name: 'read_file' });
    expect(await told('retry: 500\nid: run_1:0\n\n', Buffer.from(step + delta), ': hb\n\n', tool)).toEqual([
      'Step 1: demo/scribe works on it.',
      'Calls read_file.',
    ]);
  });

  it('is read from frames that are cut anywhere, a character in two included', async () => {
    const bytes = Buffer.from(frame('tool.requested', { name: 'zoë' }));
    for (let at = 1; at < bytes.length; at += 1)
      expect(await told(bytes.subarray(0, at), bytes.subarray(at))).toEqual(['Calls zoë.']);
  });

  it('ends where the run waits for people, though its stream goes on', async () => {
    const parked = frame('run.parked', {});
    expect(await told(parked, frame('tool.requested', { name: 'read_file' }))).toEqual([]);
  });

  it('passes over the end that the server announces', async () => {
    expect(await told('retry: 500\nevent: stream.bye\ndata: {"reason":"drain"}\n\n')).toEqual([]);
  });
});
