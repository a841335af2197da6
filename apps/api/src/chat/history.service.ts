import { Injectable } from '@nestjs/common';
import { DomainError } from '@scorpio/kernel';
import type { Access } from '../auth/principal';
import { messagePlace } from '../sessions/message-id';
import { SessionsService } from '../sessions/sessions.service';
import { MessageRepository, type MessagePageQuery } from './message.repository';
import type { MessageRecord } from './message.schema';

/** Reads what was said in a session. */
@Injectable()
export class HistoryService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly messages: MessageRepository,
  ) {}

  /**
   * A page of the conversation, in its order: the newest messages, or those next to a message.
   * @throws DomainError not-found; invalid `cursor_invalid`
   */
  async page(
    access: Access,
    sessionId: string,
    query: MessagePageQuery,
  ): Promise<{ items: MessageRecord[]; previousCursor: string | null; nextCursor: string | null }> {
    const { before, after, limit } = query;
    checkPlace('before', before, sessionId);
    checkPlace('after', after, sessionId);
    if (before !== undefined && after !== undefined)
      throw new DomainError('invalid', 'validation_failed', 'Give before or after, not both.', { field: 'after' });
    await this.sessions.get(access, sessionId);
    const { items, hasPrevious, hasNext } = await this.messages.page(access, sessionId, { before, after, limit });
    const [first, last] = [items.at(0)?.id, items.at(-1)?.id];
    return {
      items,
      previousCursor: (hasPrevious && first) || null,
      nextCursor: (hasNext && last) || null,
    };
  }
}

function checkPlace(field: string, id: string | undefined, sessionId: string): void {
  if (id !== undefined && messagePlace(id)?.sessionId !== sessionId)
    throw new DomainError('invalid', 'cursor_invalid', `${field} must be the id of a message of this session.`, {
      field,
    });
}
