import { messageId, messagePlace } from './message-id';

const session = 'ses_01JZZZZZZZZZZZZZZZZZZZZZZZ';

describe('a message id', () => {
  it('says its place, in order as text', () => {
    const ids = [messageId(session, 2, 1, 0), messageId(session, 10, 2, 1), messageId(session, 10, 11, 0)];
    expect([...ids].sort()).toEqual(ids);
    expect(messagePlace(ids[1])).toEqual({ sessionId: session, turn: 10, step: 2, k: 1 });
    for (const id of ['', session, `${session}:1:1:1`, `${ids[0]}x`, ids[0].replace('ses', 'run')])
      expect(messagePlace(id)).toBeUndefined();
  });
});
