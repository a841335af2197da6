import { messageId } from '../sessions/message-id';
import { KnownMessages } from './known-messages';
import type { MessageRecord } from './message.schema';

const SESSION = 'ses_00000000000000000000000001';

const message = (turn: number, text = 'x'.repeat(1000)): MessageRecord => ({
  id: messageId(SESSION, turn, 0, 0),
  tenantId: 'default',
  ownerId: 'usr_1',
  sessionId: SESSION,
  runId: 'run_1',
  epoch: 1,
  role: 'user',
  content: [{ type: 'text', text }],
  createdAt: new Date(0),
});
const messages = (count: number, from = 1): MessageRecord[] =>
  Array.from({ length: count }, (_, index) => message(from + index));

describe('known messages', () => {
  it('of a long conversation are kept, of a short one not', () => {
    const known = new KnownMessages();
    known.keep('short', messages(49));
    known.keep('long', messages(50));
    expect(known.of('short')).toEqual([]);
    expect(known.of('long')).toHaveLength(50);
    known.drop('long');
    expect(known.of('long')).toEqual([]);
  });

  it('make room for those of conversations that went on later', () => {
    // Each takes some 77,000.
    const known = new KnownMessages(200_000);
    known.keep('one', messages(50));
    known.keep('two', messages(50));
    known.keep('one', messages(50));
    known.keep('three', messages(50));
    expect(known.of('two')).toEqual([]);
    expect(known.of('one')).toHaveLength(50);
    expect(known.of('three')).toHaveLength(50);
  });

  it('are not kept where one conversation takes more than all may', () => {
    const known = new KnownMessages(50_000);
    known.keep('large', messages(50));
    expect(known.of('large')).toEqual([]);
  });

  it('are weighed by what they are now, however a conversation grew and lost its oldest', () => {
    const known = new KnownMessages(200_000);
    let window = messages(50);
    for (let turn = 51; turn < 500; turn++) {
      known.keep('growing', window);
      window = [...window.slice(1), message(turn)];
    }
    known.keep('other', messages(50));
    expect(known.of('growing')).toHaveLength(50);
    expect(known.of('other')).toHaveLength(50);
    known.keep('third', messages(50));
    expect(known.of('growing')).toEqual([]);
  });
});
