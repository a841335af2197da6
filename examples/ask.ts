// An agent that may ask: its run waits for the answer, for a day if need be, and then goes on.
import { createInterface } from 'node:readline/promises';
import { createScorpio, textOf } from '@scorpio/sdk';

const scorpio = createScorpio({
  baseUrl: process.env.SCORPIO_URL ?? 'http://127.0.0.1:8000',
  apiKey: process.env.SCORPIO_API_KEY,
});
// `/ask` orders the demo model to; other models see for themselves that they have to.
const [task = 'Plan a garden. Ask me what I cannot do without.\n/ask Which flower must be in it?'] =
  process.argv.slice(2);

const terminal = createInterface({ input: process.stdin, output: process.stdout });
const stream = await scorpio.chat.stream({ message: task, tools: ['ask_user'] });
for await (const event of stream) {
  if (event.type !== 'interaction.requested') continue;
  const answer = await terminal.question(`${event.prompt} `);
  await stream.answer(event.interactionId, answer);
}
terminal.close();

const { status, usage, cost } = stream.state;
console.log(textOf(stream.state));
console.log(
  `The run is ${status}. Tokens: ${usage?.inputTokens} in, ${usage?.outputTokens} out. Cost: $${cost ?? '?'}`,
);
