import { retryingFetch } from './retrying-fetch.ts';

const URL = 'http://server.test/';

/** A server that answers with these statuses in turn, or not at all, and keeps the bodies it got. */
function server(...answers: (number | 'down')[]) {
  const bodies: string[] = [];
  const fetch = async (request: Request): Promise<Response> => {
    bodies.push(await request.text());
    const answer = answers[bodies.length - 1]!;
    if (answer === 'down') throw new TypeError('fetch failed');
    return new Response(null, { status: answer, headers: { 'Retry-After': '0' } });
  };
  return { bodies, fetch };
}

describe('the fetch that repeats', () => {
  it('repeats reading while the server is busy or away', async () => {
    const { bodies, fetch } = server(503, 'down', 200);
    expect(await retryingFetch(fetch, 2)(URL)).toMatchObject({ status: 200 });
    expect(bodies).toHaveLength(3);
  });

  it('repeats a POST that has a key, with the same body', async () => {
    const { bodies, fetch } = server('down', 429, 200);
    const init = { method: 'POST', body: 'hello', headers: { 'Idempotency-Key': 'k' } };
    expect(await retryingFetch(fetch, 2)(URL, init)).toMatchObject({ status: 200 });
    expect(bodies).toEqual(['hello', 'hello', 'hello']);
  });

  it.each(['POST', 'PATCH'])('never repeats a %s without one', async (method) => {
    const busy = server(503, 200);
    expect(await retryingFetch(busy.fetch, 2)(URL, { method, body: 'x' })).toMatchObject({ status: 503 });
    const away = server('down', 200);
    await expect(retryingFetch(away.fetch, 2)(URL, { method, body: 'x' })).rejects.toThrow('fetch failed');
  });

  it('passes on what a repetition would not change, and the last of its tries', async () => {
    for (const status of [400, 404, 500]) {
      const { bodies, fetch } = server(status, 200);
      expect(await retryingFetch(fetch, 2)(URL)).toMatchObject({ status });
      expect(bodies).toHaveLength(1);
    }
    expect(await retryingFetch(server(503, 503, 503).fetch, 2)(URL)).toMatchObject({ status: 503 });
  });

  it('does not wait for longer than a caller would', async () => {
    const fetch = async (): Promise<Response> => new Response(null, { status: 429, headers: { 'Retry-After': '31' } });
    expect(await retryingFetch(fetch, 2)(URL)).toMatchObject({ status: 429 });
  });

  it('stops waiting when it is told to', async () => {
    const stop = new AbortController();
    const fetch = async (): Promise<Response> => {
      stop.abort(new Error('enough'));
      return new Response(null, { status: 503, headers: { 'Retry-After': '20' } });
    };
    await expect(retryingFetch(fetch, 2)(URL, { signal: stop.signal })).rejects.toThrow('enough');
  });
});
