import type { MessageRecord } from './message.schema';

/** UTF-16 units kept in all: some thirty megabytes. */
const MOST_CHARS = 16 * 1024 * 1024;
/** A shorter conversation is read as quickly as it is looked for. */
const FEWEST = 50;
/** What a message takes beside its content. */
const HEAD_CHARS = 500;

interface Known {
  messages: readonly MessageRecord[];
  chars: number;
}

/**
 * Beginnings of long conversations that were read before. Nothing changes in them any more: a turn begins when
 * everything of those before it is stored. The conversations that went on last are kept.
 */
export class KnownMessages {
  private readonly sessions = new Map<string, Known>();
  private chars = 0;

  constructor(private readonly mostChars = MOST_CHARS) {}

  /** What is known of the session's beginning, in order. */
  of(sessionId: string): readonly MessageRecord[] {
    return this.sessions.get(sessionId)?.messages ?? [];
  }

  /** @param messages those of turns that are over, in order; they must not be altered any more */
  keep(sessionId: string, messages: readonly MessageRecord[]): void {
    const chars = this.charsWith(sessionId, messages);
    this.drop(sessionId);
    if (messages.length < FEWEST || chars > this.mostChars) return;
    this.sessions.set(sessionId, { messages, chars });
    this.chars += chars;
    for (const oldest of this.sessions.keys()) {
      if (this.chars <= this.mostChars) break;
      this.drop(oldest);
    }
  }

  /** What is known already is not measured again. */
  private charsWith(sessionId: string, messages: readonly MessageRecord[]): number {
    const known = this.sessions.get(sessionId);
    const left = known ? known.messages.indexOf(messages[0]) : -1;
    if (!known || left < 0) return charsOf(messages);
    const added = messages.slice(known.messages.length - left);
    return known.chars - charsOf(known.messages.slice(0, left)) + charsOf(added);
  }

  drop(sessionId: string): void {
    this.chars -= this.sessions.get(sessionId)?.chars ?? 0;
    this.sessions.delete(sessionId);
  }
}

const charsOf = (messages: readonly MessageRecord[]): number =>
  messages.reduce((sum, { content }) => sum + HEAD_CHARS + JSON.stringify(content).length, 0);
