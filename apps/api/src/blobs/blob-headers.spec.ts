import { blobHeaders } from './blob-headers';

const blob = { id: 'blob_1', sessionId: 'ses_1', mediaType: 'image/png', size: 1, sha256: 'abc' };

describe('blobHeaders', () => {
  it.each([
    ['image/png', 'image/png'],
    ['image/svg+xml', 'application/octet-stream'],
    ['text/html', 'application/octet-stream'],
    ['application/pdf', 'application/octet-stream'],
  ])('sends %s as %s, never to be shown as a page', (mediaType, sent) => {
    const headers = blobHeaders({ ...blob, mediaType });
    expect(headers['Content-Type']).toBe(sent);
    expect(headers['Content-Disposition']).toMatch(/^attachment;/);
    expect(headers['X-Content-Type-Options']).toBe('nosniff');
    expect(headers.ETag).toBe('"abc"');
  });

  it('keeps a hostile name within its quotes and its line', () => {
    const disposition = blobHeaders({ ...blob, name: 'a"\r\nX: 1;é\'.html' })['Content-Disposition'];
    expect(disposition).toBe(
      `attachment; filename="a___X_ 1___.html"; filename*=UTF-8''a%22%0D%0AX%3A%201%3B%C3%A9%27.html`,
    );
  });
});
