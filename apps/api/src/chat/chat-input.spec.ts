import { readMessage, textOf } from './chat-input';

const data = Buffer.from('bytes').toString('base64');
const image = { type: 'image', mediaType: 'image/png' };
const file = { type: 'file', mediaType: 'application/pdf', name: 'a.pdf' };

describe('a message as it was sent', () => {
  it('is text, kept as it is', () => {
    expect(readMessage('  hi\n')).toEqual([{ type: 'text', text: '  hi\n' }]);
  });

  it('is a list of parts, bytes decoded and addresses checked', () => {
    const url = 'https://example.com/a b?c#d';
    expect(
      readMessage([
        { type: 'text', text: 'hi' },
        { ...image, data },
        { ...image, url },
        { ...file, data },
      ]),
    ).toEqual([
      { type: 'text', text: 'hi' },
      { ...image, bytes: Buffer.from('bytes') },
      { ...image, url: 'https://example.com/a%20b?c#d' },
      { ...file, bytes: Buffer.from('bytes') },
    ]);
  });

  it.each<[string, unknown]>([
    ['message', undefined],
    ['message', null],
    ['message', ' \t\n'],
    ['message', { type: 'text', text: 'hi' }],
    ['message', []],
    ['message', Array(65).fill({ type: 'text', text: 'a' })],
    ['message[0]', [null]],
    ['message[0].type', [{}]],
    ['message[0].type', [{ type: 'constructor' }]],
    ['message[0].type', [{ type: ['text'], text: 'a' }]],
    ['message[0].text', [{ type: 'text', text: ['a'] }]],
    ['message[0].text', [{ type: 'text' }]],
    ['message[0].data', [{ type: 'text', text: 'a', data }]],
    ['message[0].name', [{ ...image, data, name: 'a.png' }]],
    ['message[0].mediaType', [{ ...image, mediaType: 'image/svg+xml', data }]],
    ['message[0].mediaType', [{ ...file, mediaType: 'pdf', data }]],
    ['message[0]', [image]],
    ['message[0]', [{ ...file, data, url: 'https://example.com' }]],
    ['message[0].data', [{ ...image, data: '' }]],
    ['message[0].data', [{ ...image, data: 'YQ' }]],
    ['message[0].data', [{ ...image, data: 'YQ=\n' }]],
    ['message[0].data', [{ ...image, data: 'data:image/png;base64,YQ==' }]],
    ['message[0].url', [{ ...image, url: 'http://example.com' }]],
    ['message[0].url', [{ ...image, url: 'javascript:alert(1)' }]],
    ['message[0].url', [{ ...image, url: 'https://user@example.com' }]],
    ['message[0].url', [{ ...image, url: `https://example.com/${'a'.repeat(2048)}` }]],
    ['message[0].url', [{ ...image, url: 7 }]],
    ['message[0].name', [{ ...file, name: '', data }]],
    [
      'message[1].name',
      [
        { type: 'text', text: 'a' },
        { ...file, name: 'a'.repeat(256), data },
      ],
    ],
  ])('is refused with %s named (%#)', (field, message) => {
    expect(() => readMessage(message)).toThrow(
      expect.objectContaining({
        kind: 'invalid',
        code: 'validation_failed',
        details: expect.objectContaining({ field }),
      }),
    );
  });

  it('has a million characters at most, over all its parts', () => {
    const text = 'a'.repeat(500_000);
    expect(
      readMessage([
        { type: 'text', text },
        { type: 'text', text },
      ]),
    ).toHaveLength(2);
    const more = [
      { type: 'text', text },
      { type: 'text', text: `${text}a` },
    ];
    expect(() => readMessage(more)).toThrow(expect.objectContaining({ kind: 'too-large', code: 'message_too_large' }));
  });

  it('gives its title only from its text', () => {
    const parts = [
      { type: 'text', text: 'a' },
      { ...image, url: 'https://example.com' },
      { type: 'text', text: 'b' },
    ];
    expect(textOf(parts as never)).toBe('a\nb');
  });
});
