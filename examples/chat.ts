// A conversation in the terminal. Lines in, streamed answers out; the session remembers what was said.
import { createInterface } from 'node:readline';
import { createScorpio } from '@scorpio/sdk';

const scorpio = createScorpio({
  baseUrl: process.env.SCORPIO_URL ?? 'http://127.0.0.1:8000',
  apiKey: process.env.SCORPIO_API_KEY,
});
const session = await scorpio.sessions.create({ title: 'In the terminal' });

const prompt = (): boolean => process.stdout.write('> ');
prompt();
for await (const message of createInterface({ input: process.stdin })) {
  if (message.trim()) {
    const stream = await scorpio.chat.stream({ sessionId: session.id, message });
    for await (const event of stream) {
      if (event.type === 'part.delta') process.stdout.write(event.text);
      if (event.type === 'step.reset') process.stdout.write('\n(once more)\n');
    }
    const { status, error } = stream.state;
    console.log(status === 'completed' ? '' : `\n(${status}: ${error?.message ?? 'not finished'})`);
  }
  prompt();
}
