import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NoStream, SseReader } from './sse-reader';

const RUN = 'run_1';
const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  'x-run-id': RUN,
};
const frame = (seq: number, type = 'part.delta', over: object = {}): string =>
  `id: ${RUN}:${seq}\nevent: ${type}\ndata: ${JSON.stringify({ v: 1, type, runId: RUN, seq, ts: '2026-01-01T00:00:00Z', ...over })}\n\n`;
const prime = (seq: number): string => `retry: 1000\nid: ${RUN}:${seq}\ndata:\n\n`;

type Answer = (response: ServerResponse, lastSeq: number, connection: number) => void;
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

/** A server that answers every request as told, with the cursor it was given. */
async function serve(answer: Answer): Promise<SseReader> {
  let connections = 0;
  const server = createServer((request, response) => {
    const cursor = String(request.headers['last-event-id'] ?? `${RUN}:0`);
    answer(response, Number(cursor.split(':')[1]), connections++);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closers.push(() => (server.closeAllConnections(), server.close()));
  return new SseReader(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const stream =
  (...frames: string[]): Answer =>
  (response, lastSeq) =>
    response.writeHead(200, HEADERS).end([prime(lastSeq), ...frames].join(''));

describe('SseReader', () => {
  it('finds nothing wrong with a good stream', async () => {
    const reader = await serve(stream(frame(1), ': hb\n\n', frame(2), frame(3, 'run.completed')));
    const read = await reader.follow(RUN);
    expect(read.faults).toEqual([]);
    expect(read.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(read).toMatchObject({ heartbeats: 1, connections: [{ end: 'closed', retry: 1000 }] });
  });

  it.each<[string, Answer]>([
    ['gap: 3 after 1', stream(frame(1), frame(3, 'run.completed'))],
    ['repeat: 1 after 1', stream(frame(1), frame(1), frame(2, 'run.completed'))],
    ['a frame after the terminal event', stream(frame(1, 'run.completed'), ': hb\n\n')],
    ['id run_1:9 on event 1', stream(frame(1, 'run.completed').replace(':1\n', ':9\n'))],
    ['event: part.delta on run.failed', stream(frame(1, 'part.delta', { type: 'run.failed' }))],
    ['an event of another run', stream(frame(1, 'run.failed', { runId: 'run_2' }))],
    ['a bad envelope', stream(frame(1, 'run.failed', { v: 2 }))],
    ['moves the cursor to run_1:7', stream(frame(1), `id: ${RUN}:7\ndata:\n\n`, frame(2, 'run.failed'))],
    ['stream.bye without a reason', stream(frame(1), 'event: stream.bye\ndata: {}\n\n', frame(2, 'run.failed'))],
    ['the first frame does not say retry', (response) => response.writeHead(200, HEADERS).end(frame(1, 'run.failed'))],
    [
      'X-Accel-Buffering',
      (response) =>
        response.writeHead(200, { ...HEADERS, 'x-accel-buffering': 'yes' }).end(prime(0) + frame(1, 'run.failed')),
    ],
    [
      'the stream stays open',
      (response) => {
        response.writeHead(200, HEADERS).write(prime(0) + frame(1, 'run.failed'));
      },
    ],
  ])('reports "%s"', async (fault, answer) => {
    const reader = await serve(answer);
    const read = await reader.follow(RUN);
    expect(read.faults).toContainEqual(expect.stringContaining(fault));
  });

  it('cuts after every second event and resumes from the last one', async () => {
    const cursors: number[] = [];
    const reader = await serve((response, lastSeq) => {
      cursors.push(lastSeq);
      response.writeHead(200, HEADERS).write(prime(lastSeq));
      for (let seq = lastSeq + 1; seq <= 5; seq++) response.write(frame(seq, seq === 5 ? 'run.completed' : undefined));
      response.end();
    });
    const read = await reader.follow(RUN, { cutAfter: 2 });
    expect(read.faults).toEqual([]);
    expect(read.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect(cursors).toEqual([0, 2, 4]);
    expect(read.connections.map(({ end }) => end)).toEqual(['cut', 'cut', 'closed']);
  });

  it('sees what a server repeats after a resume', async () => {
    const reader = await serve((response, _lastSeq, connection) =>
      response
        .writeHead(200, HEADERS)
        .end(prime(connection ? 2 : 0) + (connection ? frame(2) + frame(3, 'run.failed') : frame(1) + frame(2))),
    );
    expect((await reader.follow(RUN)).faults).toEqual(['connection 2: repeat: 2 after 2']);
  });

  it('goes on over resets and farewells, and stops at 204', async () => {
    const reader = await serve((response, lastSeq, connection) => {
      if (connection === 2) return response.writeHead(204).end();
      response.writeHead(200, HEADERS).write(prime(lastSeq) + frame(lastSeq + 1), () => {
        if (connection === 0) response.destroy();
        else response.end('event: stream.bye\ndata: {"reason":"drain"}\n\n');
      });
    });
    const read = await reader.follow(RUN);
    expect(read.faults).toEqual([]);
    expect(read.byes).toEqual(['drain']);
    expect(read.connections.map(({ end }) => end)).toEqual(['reset', 'closed', 'refused']);
  });

  it('hands back an answer that is no stream', async () => {
    const reader = await serve((response) =>
      response.writeHead(409, { 'content-type': 'application/problem+json' }).end('{}'),
    );
    await expect(reader.chat({ message: 'hi' })).rejects.toThrow(NoStream);
    await expect(reader.follow(RUN)).rejects.toMatchObject({ status: 409 });
  });
});
