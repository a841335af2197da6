import type { DestinationStream } from 'pino';
import { destination } from 'pino';
import pretty from 'pino-pretty';
import { redact } from './redact';

/** Characters that JSON leaves as they are and that terminals or log readers take for line ends, commands or reversed text. */
const UNSAFE = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escaped = (text: string): string =>
  text.replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** Passes each line on without secrets; a record stays one line whatever users wrote. */
export const scrubbed = (target: DestinationStream): DestinationStream => ({
  write: (line) => target.write(escaped(redact(line))),
});

/** Where log lines go: standard output, laid out for people where one is looking in development. */
export function logStream(pretty: boolean): DestinationStream {
  return scrubbed(pretty ? prettyStream() : destination(1));
}

function prettyStream(): DestinationStream {
  return pretty({
    colorize: true,
    singleLine: true,
    sync: true,
    translateTime: 'HH:MM:ss.l',
    ignore: 'pid,hostname,context,req.id,req.remoteAddress',
    messageFormat: (line, key) => {
      const context = typeof line.context === 'string' ? `[${line.context}] ` : '';
      // Here the text is no longer JSON, so its own control characters are shown, not obeyed.
      return context + JSON.stringify(String(line[key])).slice(1, -1).replaceAll('\\"', '"');
    },
  });
}
