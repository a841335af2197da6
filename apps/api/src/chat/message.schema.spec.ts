import { messageId } from '../sessions/message-id';
import { toMessageRecord, toStoredMessage, type MessageRecord } from './message.schema';

const session = 'ses_01JZZZZZZZZZZZZZZZZZZZZZZZ';

describe('a message', () => {
  it('comes out of the store as it went in, whatever its parts hold', () => {
    const message: MessageRecord = {
      id: messageId(session, 1, 1, 1),
      tenantId: 't',
      ownerId: 'o',
      sessionId: session,
      runId: 'run_1',
      epoch: 3,
      role: 'assistant',
      content: [
        {
          type: 'text',
          text: 'half \ud800 and \u0000',
          native: { vendor: 'v', model: 'm', system: 's', data: { $ref: { 'a.b': [] } } },
        },
        { type: 'tool_call', callId: 'c', name: 'n', arguments: JSON.parse('{"__proto__":{"x":1},"":{}}') as never },
      ],
      usage: { inputTokens: 1, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0 },
      cost: null,
      createdAt: new Date(5),
    };
    expect(toMessageRecord(toStoredMessage(message))).toEqual(message);
    const { usage: _, ...bare } = message;
    expect(toStoredMessage(bare)).not.toHaveProperty('usage');
  });
});
