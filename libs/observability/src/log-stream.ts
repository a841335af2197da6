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

/**
 * Writes the lines of one turn of the event loop together, after what they tell of: a write to a pipe takes as long as
 * half a request. The end of the process, whatever it is but a kill, writes what is left.
 */
function joined(target: DestinationStream): DestinationStream {
  let lines = '';
  const flush = (): void => {
    const text = lines;
    lines = '';
    if (text) target.write(text);
  };
  process.on('exit', flush);
  return {
    write: (line) => {
      if (!lines) setImmediate(flush);
      lines += line;
    },
  };
}

/** Where log lines go: standard output, laid out for people where one is looking in development. */
export function logStream(pretty: boolean): DestinationStream {
  return scrubbed(pretty ? prettyStream() : joined(destination(1)));
}

function prettyStream(): DestinationStream {
  return pretty({
    colorize: true,
    singleLine: true,
    sync: true,
    translateTime: 'HH:MM:ss.l',
    ignore: 'pid,hostname,context,remoteAddress',
    messageFormat: (line, key) => {
      const context = typeof line.context === 'string' ? `[${line.context}] ` : '';
      // Here the text is no longer JSON, so its own control characters are shown, not obeyed.
      return context + JSON.stringify(String(line[key])).slice(1, -1).replaceAll('\\"', '"');
    },
  });
}
