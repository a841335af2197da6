import { wholeSteps } from './whole-steps';
import type { MessageRecord, StoredPart } from './message.schema';

const message = (id: string, role: MessageRecord['role'], ...content: StoredPart[]): MessageRecord => ({
  id,
  tenantId: 't',
  ownerId: 'o',
  sessionId: 's',
  runId: 'r',
  epoch: 1,
  role,
  content,
  createdAt: new Date(0),
});
const call = (callId: string): StoredPart => ({ type: 'tool_call', callId, name: 'look', arguments: {} });
const result = (callId: string): StoredPart => ({
  type: 'tool_result',
  callId,
  name: 'look',
  output: '',
  isError: false,
});
const text = (words: string): StoredPart => ({ type: 'text', text: words });

const thread = [
  message('1:0', 'user', text('hi')),
  message('1:1', 'assistant', text('I look'), call('a'), call('b')),
  message('1:2', 'tool', result('a'), result('b')),
  message('2:1', 'assistant', text('done')),
];
const ids = (messages: MessageRecord[]): string[] => messages.map(({ id }) => id);

describe('wholeSteps', () => {
  it('takes everything when no message is named', () => {
    expect(ids(wholeSteps(thread))).toEqual(['1:0', '1:1', '1:2', '2:1']);
    expect(wholeSteps([])).toEqual([]);
  });

  it('ends with the message that is named', () => {
    expect(ids(wholeSteps(thread, '1:0'))).toEqual(['1:0']);
    expect(ids(wholeSteps(thread, '1:2'))).toEqual(['1:0', '1:1', '1:2']);
  });

  it('goes on to the results of a call', () => {
    expect(ids(wholeSteps(thread, '1:1'))).toEqual(['1:0', '1:1', '1:2']);
  });

  it('leaves out a step whose results are not there yet', () => {
    expect(ids(wholeSteps(thread.slice(0, 2)))).toEqual(['1:0']);
    const half = message('1:2', 'tool', result('a'));
    expect(ids(wholeSteps([...thread.slice(0, 2), half]))).toEqual(['1:0']);
  });

  it('refuses to end with a call that has no results', () => {
    expect(() => wholeSteps(thread.slice(0, 2), '1:1')).toThrow(expect.objectContaining({ code: 'step_unfinished' }));
  });

  it('does not know a message of another conversation', () => {
    expect(() => wholeSteps(thread, '9:9')).toThrow(expect.objectContaining({ code: 'message_not_found' }));
    expect(() => wholeSteps([], '1:0')).toThrow(expect.objectContaining({ code: 'message_not_found' }));
  });
});
