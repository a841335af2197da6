// A run needs no reader. Without arguments this starts one and leaves; with the run's id it follows it to the end, and
// with `<run>:<seq>` from the event after that place. Ctrl-C ends the reading, not the run.
import { createScorpio } from '@scorpio/sdk';

const scorpio = createScorpio({
  baseUrl: process.env.SCORPIO_URL ?? 'http://127.0.0.1:8000',
  apiKey: process.env.SCORPIO_API_KEY,
});
const [cursor] = process.argv.slice(2);

if (cursor) await follow(cursor);
else {
  const { id: sessionId } = await scorpio.sessions.create({ title: 'In the background' });
  // Orders to the demo model: a word every 50 ms. Any other model makes of it what it likes.
  const run = await scorpio.chat.start({ sessionId, message: 'Count slowly:\n/slow 50\n/long 100' });
  console.log(`Started. Follow it: node background.ts ${run.id}`);
}

async function follow(cursor: string): Promise<void> {
  const [runId = '', after = 0] = cursor.split(':');
  const leave = new AbortController();
  process.once('SIGINT', () => leave.abort());
  const stream = scorpio.runs.stream({ runId, after }, { signal: leave.signal });
  try {
    for await (const event of stream) if (event.type === 'part.delta') process.stdout.write(event.text);
    console.log(`\nThe run is ${stream.state.status}.`);
  } catch (error) {
    if (!leave.signal.aborted) throw error;
    console.log(`\nIt works on. To go on reading: node background.ts ${stream.lastEventId}`);
  }
}
