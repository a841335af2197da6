import { messageId, messagePlace, toMessageRecord, toStoredMessage, type MessageRecord } from './message.schema';

const session = 'ses_01JZZZZZZZZZZZZZZZZZZZZZZZ';

describe('a message', () => {
  it('has an id that says its place, in order as text', () => {
    const ids = [messageId(session, 2, 1, 0), messageId(session, 10, 2, 1), messageId(session, 10, 11, 0)];
    expect([...ids].sort()).toEqual(ids);
    expect(messagePlace(ids[1]!)).toEqual({ sessionId: session, turn: 10, step: 2, k: 1 });
    for (const id of ['', session, `${session}:1:1:1`, `${ids[0]}x`, ids[0]!.replace('ses', 'run')])
      expect(messagePlace(id)).toBeUndefined();
  });

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
          native: { vendor: 'v', model: 'm', data: { $ref: { 'a.b': [] } } },
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
