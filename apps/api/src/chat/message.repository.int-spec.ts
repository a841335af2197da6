import { join } from 'node:path';
import mongoose, { type Connection } from 'mongoose';
import { newId } from '@scorpio/kernel';
import { openEmbedded } from '@scorpio/persistence';
import { describeStores } from '../../../../test/support/stores';
import { tempDir } from '../../../../test/support/temp-dir';
import { messageId } from '../sessions/message-id';
import { MessageRepository } from './message.repository';
import { MessageModel, MessageSchema, type MessageRecord } from './message.schema';

const OWNER = { tenantId: 'default', ownerId: 'usr_1' };
const MOST = 200;

const message = (sessionId: string, turn: number, k: number): MessageRecord => ({
  ...OWNER,
  id: messageId(sessionId, turn, k, k),
  sessionId,
  runId: 'run_1',
  epoch: 1,
  role: k ? 'assistant' : 'user',
  content: [{ type: 'text', text: `${turn}/${k}` }],
  createdAt: new Date(0),
});
const textsOf = (messages: readonly MessageRecord[]) =>
  messages.map(({ content }) => (content[0].type === 'text' ? content[0].text : ''));
const turns = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => [`${from + index}/0`, `${from + index}/1`]).flat();

describeStores('what a run is told of a long conversation', (store) => {
  let connection: Connection;
  /** Two servers on one store. */
  let here: MessageRepository;
  let there: MessageRepository;
  let session: string;

  beforeAll(async () => {
    const url = store.env().MONGODB_URL;
    connection = url
      ? await mongoose.createConnection(url).asPromise()
      : await openEmbedded(join(tempDir(), 'messages.db'), { sync: 'normal', autoIndex: false, autoCreate: true });
  });
  afterAll(() => connection.close());
  beforeEach(async () => {
    const model = connection.models[MessageModel.name] ?? connection.model(MessageModel.name, MessageSchema);
    [here, there] = [new MessageRepository(model), new MessageRepository(model)];
    session = newId('ses');
    await say(here, 1, 40);
  });

  const say = async (repository: MessageRepository, from: number, to: number) => {
    for (let turn = from; turn <= to; turn++) for (const k of [0, 1]) await repository.put(message(session, turn, k));
  };
  const told = async (repository: MessageRepository, turn: number) =>
    textsOf(await repository.upTo(OWNER, session, turn, MOST));

  it('is the same whether or not its beginning was read before, also after turns on another server', async () => {
    expect(await told(here, 41)).toEqual(turns(1, 40));
    expect(await told(here, 41)).toEqual(turns(1, 40));
    await say(there, 41, 45);
    expect(await told(there, 46)).toEqual(turns(1, 45));
    expect(await told(here, 46)).toEqual(turns(1, 45));
  });

  it("holds the run's own messages as they are now: those may still be written anew", async () => {
    await here.put(message(session, 41, 0));
    expect(await told(here, 41)).toEqual([...turns(1, 40), '41/0']);
    await there.put({ ...message(session, 41, 0), epoch: 2, content: [{ type: 'text', text: 'anew' }] });
    expect(await told(here, 41)).toEqual([...turns(1, 40), 'anew']);
  });

  it('ends with the newest messages, however many were added elsewhere', async () => {
    await told(here, 41);
    await say(there, 41, 90);
    expect(await told(here, 91)).toHaveLength(MOST - 20);
    await say(there, 91, 200);
    expect(await told(here, 201)).toEqual(turns(101, 200));
    await say(there, 201, 220);
    expect(await told(here, 221)).toEqual(turns(121, 220));
  });

  it('is nothing once the conversation is erased, and nothing for anybody else', async () => {
    await told(here, 41);
    expect(await here.upTo({ tenantId: 'default', ownerId: 'usr_2' }, session, 41, MOST)).toEqual([]);
    expect(await told(here, 41)).toEqual(turns(1, 40));
    await here.erase(session);
    expect(await told(here, 41)).toEqual([]);
  });

  it('has no message at a place that a later owner of its run has withdrawn, however late it comes', async () => {
    const late = message(session, 40, 1);
    expect(await there.put({ ...late, epoch: 2, content: [], withdrawn: true })).toBe(true);
    expect(await here.put(late)).toBe(false);
    expect(await told(here, 41)).toEqual(turns(1, 40).slice(0, -1));
    expect(textsOf(await here.thread(OWNER, session))).toEqual(turns(1, 40).slice(0, -1));
    expect(textsOf(await here.turn(OWNER, session, 40))).toEqual(['40/0']);
  });
});
