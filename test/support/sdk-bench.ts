import { createScorpio, type RunEvent, type RunStream, type Scorpio, type ScorpioError } from '@scorpio/sdk';
import { ChaosProxy, type Faults } from './chaos-proxy';

export async function allOf(stream: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** @returns the stream, read to its end */
export async function finished<S extends RunStream>(stream: S): Promise<S> {
  await stream.final();
  return stream;
}

/** Every place from 1 to the end once, and a terminal event last. */
export function expectWhole(events: RunEvent[]): void {
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.at(-1)!.type).toMatch(/^run\.(completed|failed|cancelled)$/);
}

/** What the promise fails with. */
export const rejection = (promise: Promise<unknown>): Promise<ScorpioError> =>
  promise.then(
    () => Promise.reject(new Error('It was expected to fail.')),
    (error: ScorpioError) => error,
  );

/** A client of the server with a proxy between, whose first connections have these faults, in their order. Its requests are noted. */
export async function shaky(
  url: string,
  faults: Faults[],
  test: (client: Scorpio, proxy: ChaosProxy, requests: Request[]) => Promise<void>,
): Promise<void> {
  const proxy = await ChaosProxy.start(url);
  proxy.faults = (connection) => faults[connection] ?? {};
  try {
    const requests: Request[] = [];
    const noting = (request: Request): Promise<Response> => {
      requests.push(request);
      return fetch(request);
    };
    await test(createScorpio({ baseUrl: proxy.url, fetch: noting }), proxy, requests);
  } finally {
    await proxy.close();
  }
}
