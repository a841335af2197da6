import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';

const BLOCK = Buffer.alloc(65_536, 'x');
const PART = '--b\r\nContent-Disposition: form-data; name="files"; filename="big"\r\n\r\n';

/** What a client on a bare socket got to hear, and how much it could send until the server closed the connection. */
interface Heard {
  answer: string;
  sent: number;
}

describe('a client that goes on sending after its answer', () => {
  let app: AppHarness;
  let sessionId: string;
  const sockets: Socket[] = [];

  beforeAll(async () => {
    app = await AppHarness.start({ WORKSPACE_MAX_FILE_BYTES: '1000000' });
    sessionId = await new ChatClient(app.api()).newSession();
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await app.close();
  });

  const dial = (): Socket => {
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
    sockets.push(socket);
    return socket;
  };

  /** Sends a body that has no end, as fast as it is taken, whatever is answered. */
  function sendForEver(path: string, type: string, begin: string): Promise<Heard> {
    const socket = dial();
    const heard: Heard = { answer: '', sent: 0 };
    const chunk = (bytes: Buffer): Buffer =>
      Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]);
    const block = chunk(BLOCK);
    const pump = (): void => {
      while (socket.writable) {
        heard.sent += BLOCK.length;
        if (!socket.write(block)) return;
      }
    };
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    socket.write(chunk(Buffer.from(begin)));
    socket.on('connect', pump).on('drain', pump);
    socket.on('data', (bytes: Buffer) => (heard.answer += bytes.toString()));
    return new Promise((resolve) => {
      // What was under way when the server closed is reset.
      socket.on('error', () => undefined).on('close', () => resolve(heard));
    });
  }

  const upload = (session: string) => `/api/v1/files/upload?sessionId=${session}`;
  const FORM = 'multipart/form-data; boundary=b';

  it('hears 413 of an upload at the limit, and is not read for ever', async () => {
    const { answer, sent } = await sendForEver(upload(sessionId), FORM, PART);
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"file_too_large"');
    expect(sent).toBeGreaterThan(1_000_000);
    await eventually(() => expect(readdirSync(join(app.config.workspace.dir, '.staging'))).toEqual([]));
    expect(await app.api().get('/health')).toMatchObject({ status: 200 });
  });

  it.each([
    ['a session that there is not', upload('ses_01ARZ3NDEKTSV4RRFFQ69G5FAV'), FORM, PART, 404],
    ['a path outside', `${upload('')}&path=..`, FORM, PART, 400],
    ['JSON', '/api/v1/sessions', 'application/json', '{"title":"', 413],
    ['a route that there is not', '/api/v1/nowhere', 'application/json', '{"title":"', 404],
  ])('hears what is wrong with %s, and is not read for ever', async (_name, path, type, begin, status) => {
    expect((await sendForEver(path, type, begin)).answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });

  const part = (name: string, file?: string): string =>
    `--b\r\nContent-Disposition: form-data; name="${name}"${file ? `; filename="${file}"` : ''}\r\n\r\n`;

  it.each([
    ['a 51st file', Array.from({ length: 51 }, (_, index) => part('files', `${index}`)).join('x\r\n'), 'files'],
    ['a field that is no file', part('note'), 'files'],
    ['a file by another name', part('photo', 'a.png'), 'photo'],
    ['a form that is none', '--b\r\n\r\n\r\n--c\r\n: \r\n', 'files'],
  ])('hears what is wrong with %s, is not read for ever, and nothing is kept', async (_name, begin, field) => {
    const { answer } = await sendForEver(upload(sessionId), FORM, begin);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"validation_failed"');
    expect(answer).toContain(`"field":"${field}"`);
    await eventually(() => expect(readdirSync(join(app.config.workspace.dir, '.staging'))).toEqual([]));
  });

  it('keeps its connection where the rest of the body was on its way', async () => {
    const socket = dial();
    let answers = '';
    socket.on('data', (bytes: Buffer) => (answers += bytes.toString()));
    const count = (): number => answers.match(/HTTP\/1\.1 404 /g)?.length ?? 0;
    socket.write('POST /api/v1/nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345');
    await eventually(() => expect(count()).toBe(1));
    socket.write('67890');
    socket.write('GET /api/v1/nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(count()).toBe(2);
  });
});
