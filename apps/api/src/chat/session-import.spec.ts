import { readSessionImport } from './session-import';

const SESSION = 'ses_01JZZZZZZZZZZZZZZZZZZZZZZZ';
const RUN = 'run_01JZZZZZZZZZZZZZZZZZZZZZZZ';
const BLOB = 'blob_01JZZZZZZZZZZZZZZZZZZZZZZZ';
const image = (blobId: string) => ({ blobId, mediaType: 'image/png' });
const at = '2026-01-02T03:04:05.678Z';
const place = (turn: number, step: number, k: number): string =>
  `${SESSION}:${String(turn).padStart(6, '0')}:${String(step).padStart(4, '0')}:${k}`;

const whole = (): any => ({
  version: 1,
  session: { title: 'Trip', tools: ['look'], metadata: { 'a.b': 'c' } },
  messages: [
    {
      id: place(1, 1, 0),
      runId: RUN,
      role: 'user',
      parts: [
        { type: 'text', text: 'hi' },
        { type: 'image', mediaType: 'image/png', blobId: BLOB },
      ],
      createdAt: at,
    },
    {
      id: place(1, 1, 1),
      runId: RUN,
      role: 'assistant',
      model: 'demo/scribe',
      finish: 'tool_calls',
      cost: null,
      parts: [
        { type: 'reasoning', text: '', native: { vendor: 'x', model: 'y', system: 's', data: '{"$sig":"é"}' } },
        { type: 'tool_call', callId: 'c1', name: 'look', arguments: '{"$gt":1,"constructor":2}' },
      ],
      createdAt: at,
    },
    {
      id: place(1, 1, 2),
      runId: RUN,
      role: 'tool',
      parts: [{ type: 'tool_result', callId: 'c1', name: 'look', output: 'ok', isError: false }],
      createdAt: at,
    },
  ],
  blobs: [{ id: BLOB, mediaType: 'image/png', data: 'aGk=' }],
});

/** The field at fault once the document was broken like that. */
function fault(spoil: (document: any) => void): string {
  const document = whole();
  spoil(document);
  try {
    readSessionImport(JSON.parse(JSON.stringify(document)));
  } catch (error) {
    return (error as { details: { field: string } }).details.field;
  }
  return 'nothing';
}

describe('readSessionImport', () => {
  it('takes a whole export, and names in tool arguments and vendor data as they are', () => {
    const input = readSessionImport(whole());
    expect(input.session).toMatchObject({ title: 'Trip', metadata: { 'a.b': 'c' } });
    expect(input.messages[1].parts).toEqual([
      { type: 'reasoning', text: '', native: { vendor: 'x', model: 'y', system: 's', data: { $sig: 'é' } } },
      { type: 'tool_call', callId: 'c1', name: 'look', arguments: { $gt: 1, constructor: 2 } },
    ]);
    expect(input.messages[0].createdAt).toEqual(new Date(at));
  });

  it.each<[string, (document: any) => void, string]>([
    ['another version', (d) => (d.version = 2), 'version'],
    ['an unknown field on top', (d) => (d.ownerId = 'x'), 'body'],
    ['an owner in the session', (d) => (d.session.ownerId = 'x'), 'session'],
    ['a long title', (d) => (d.session.title = 'x'.repeat(201)), 'session.title'],
    ['a bad metadata key', (d) => (d.session.metadata = { 'a b': '1' }), 'session.metadata'],
    ['a prototype key', (d) => (d.session.metadata = JSON.parse('{"__proto__":"1"}')), 'session.metadata'],
    ['negative usage', (d) => (d.session.usage = { inputTokens: -1 }), 'session.usage.inputTokens'],
    ['no message list', (d) => delete d.messages, 'messages'],
    ['an unknown role', (d) => (d.messages[0].role = 'system'), 'messages[0].role'],
    ['an unknown part', (d) => (d.messages[0].parts[0].type = 'video'), 'messages[0].parts[0].type'],
    ['a part that its role has not', (d) => (d.messages[0].role = 'assistant'), 'messages[0].parts[1].type'],
    ['an unknown field in a part', (d) => (d.messages[0].parts[0].html = 'x'), 'messages[0].parts[0]'],
    [
      'a plain http address',
      (d) => (d.messages[0].parts[1] = { type: 'image', mediaType: 'image/png', url: 'http://x.test/' }),
      'messages[0].parts[1].url',
    ],
    ['an image of two sources', (d) => (d.messages[0].parts[1].url = 'https://x.test/'), 'messages[0].parts[1]'],
    [
      'arguments that are no object',
      (d) => (d.messages[1].parts[1].arguments = '[1]'),
      'messages[1].parts[1].arguments',
    ],
    ['arguments that are no JSON', (d) => (d.messages[1].parts[1].arguments = '{'), 'messages[1].parts[1].arguments'],
    [
      'arguments with a prototype',
      (d) => (d.messages[1].parts[1].arguments = '{"a":{"__proto__":{"x":1}}}'),
      'messages[1].parts[1].arguments',
    ],
    [
      'vendor data nested too deep',
      (d) => (d.messages[1].parts[0].native.data = '['.repeat(50_000) + ']'.repeat(50_000)),
      'messages[1].parts[0].native.data',
    ],
    ['a message id of another form', (d) => (d.messages[0].id = '../x'), 'messages[0].id'],
    [
      'a message of another session',
      (d) => (d.messages[2].id = d.messages[2].id.replace('JZ', 'KZ')),
      'messages[2].id',
    ],
    ['messages out of order', (d) => (d.messages[1].id = place(1, 1, 0)), 'messages[1].id'],
    ['a call without its result', (d) => d.messages.pop(), 'messages'],
    ['a result without its call', (d) => d.messages.splice(1, 1), 'messages[1].parts'],
    ['a message that is too large', (d) => (d.messages[0].parts[0].text = 'é'.repeat(4_000_001)), 'messages[0].parts'],
    ['a blob that is not there', (d) => (d.blobs = []), 'messages[0].parts[1].blobId'],
    [
      'an image of a result that is not there',
      (d) => (d.messages[2].parts[0].images = [image(BLOB), image(BLOB.replace('JZ', 'KZ'))]),
      'messages[2].parts[0].images[1].blobId',
    ],
    [
      'an image of a result by its address',
      (d) => (d.messages[2].parts[0].images = [{ mediaType: 'image/png', url: 'https://x.test/' }]),
      'messages[2].parts[0].images[0].blobId',
    ],
    [
      'more images than a result has',
      (d) => (d.messages[2].parts[0].images = Array.from({ length: 9 }, () => image(BLOB))),
      'messages[2].parts[0].images',
    ],
    ['a blob twice', (d) => d.blobs.push(d.blobs[0]), 'blobs[1].id'],
    ['bytes that are no base64', (d) => (d.blobs[0].data = 'a b'), 'blobs[0].data'],
    ['a date that is none', (d) => (d.messages[0].createdAt = 'yesterday'), 'messages[0].createdAt'],
  ])('names the field of %s', (_, spoil, field) => {
    expect(fault(spoil)).toBe(field);
  });

  it.each([null, 1, 'x', [], {}])('refuses %j', (body) => {
    expect(() => readSessionImport(body)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });
});
