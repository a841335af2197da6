import { createParser, type EventSourceMessage, type EventSourceParser } from 'eventsource-parser';
import { LlmError } from '../contract';

/** The most characters of an event that has not ended yet: a vendor that never ends one must not fill the memory. */
export const MAX_EVENT_CHARACTERS = 5 * 1024 * 1024;

/** Splits the bytes of an event stream into its events, however the reads cut them. */
export class SseReader {
  private readonly decoder = new TextDecoder();
  private readonly parser: EventSourceParser;
  private events: EventSourceMessage[] = [];
  private overflow = false;

  constructor(maxCharacters = MAX_EVENT_CHARACTERS) {
    this.parser = createParser({
      onEvent: (event) => this.events.push(event),
      // Lines that are no field are ignored, as the standard says.
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') this.overflow = true;
      },
      maxBufferSize: maxCharacters,
    });
  }

  /**
   * The events that these bytes complete.
   * @throws LlmError `unavailable` where an event grows beyond the limit
   */
  feed(bytes: Uint8Array): EventSourceMessage[] {
    this.events = [];
    this.parser.feed(this.decoder.decode(bytes, { stream: true }));
    if (this.overflow) throw new LlmError('unavailable', 'The model sent a line that is too long to be an event.');
    return this.events;
  }
}
