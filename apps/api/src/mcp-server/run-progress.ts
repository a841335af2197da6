import { createParser } from 'eventsource-parser';
import type { RunEvent } from '@scorpio/events';
import { monotonicMs } from '@scorpio/kernel';

/** Longest time without a word while the run works: clients give up on a call that says nothing. */
const QUIET_MS = 5_000;

/** Reads a run's stream and tells what it does, until the run ends or waits for people. */
export async function tellProgress(
  frames: AsyncIterable<string | Buffer>,
  tell: (message?: string) => Promise<void>,
): Promise<void> {
  const said: string[] = [];
  let parked = false;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      parked = event === 'run.parked';
      const sentence = event === 'stream.bye' ? undefined : sentenceOf(JSON.parse(data) as RunEvent);
      if (sentence) said.push(sentence);
    },
  });
  const decoder = new TextDecoder();
  let toldAt = monotonicMs();
  for await (const frame of frames) {
    parser.feed(typeof frame === 'string' ? frame : decoder.decode(frame, { stream: true }));
    if (parked) return;
    if (!said.length && monotonicMs() - toldAt < QUIET_MS) continue;
    for (const sentence of said.length ? said.splice(0) : [undefined]) await tell(sentence);
    toldAt = monotonicMs();
  }
}

function sentenceOf(event: RunEvent): string | undefined {
  switch (event.type) {
    case 'step.started':
      return `Step ${event.step}: ${event.model} works on it.`;
    case 'tool.requested':
      return `Calls ${event.name}.`;
    default:
      return undefined;
  }
}
