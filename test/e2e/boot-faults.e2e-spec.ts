import { createServer, type AddressInfo, type Server } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, ServerProcess } from '../support/server-process';
import { tempDir } from '../support/temp-dir';

describe('a server that cannot start', () => {
  const blocker: Server = createServer();
  let running: ServerProcess;
  beforeAll(async () => {
    await new Promise<void>((done) => blocker.listen(0, '127.0.0.1', done));
    running = await ServerProcess.start();
  });
  afterAll(async () => {
    await running?.close();
    await new Promise((done) => blocker.close(done));
  });

  /** What it prints in the end, below whatever it logged before. */
  async function fault(env: Record<string, string>, dataDir?: string): Promise<string> {
    const server = await ServerProcess.launch({ LOG_LEVEL: 'fatal', ...env }, dataDir);
    expect(await server.exited).toEqual({ code: 1, signal: null });
    expect(server.output).not.toMatch(/^\s+at /m);
    return server.output.trim();
  }

  it('[P9] says so in one line where the port is in use', async () => {
    const { port } = blocker.address() as AddressInfo;
    expect(await fault({ PORT: String(port) })).toMatch(
      new RegExp(`^Port ${port} on 127.0.0.1 is in use\\. .*PORT=${port + 1}.*$`),
    );
  });

  it('[P9] says so in one line where another process holds the data', async () => {
    expect(await fault({}, running.dataDir)).toMatch(/^.* is in use by another Scorpio process; .*DATA_DIR.*$/);
    expect((await fetch(`${running.url}/health/ready`)).status).toBe(200);
  });

  it('[P9] says so in one line where the data cannot be kept', async () => {
    const folder = tempDir();
    writeFileSync(join(folder, 'data'), 'a file where a folder should be');
    expect(await fault({ SECRET_KEY: 'k'.repeat(40) }, folder)).toMatch(/^.*DATA_DIR.*$/);
  });

  it('[P9] says so in one line where MongoDB cannot be reached, without its password', async () => {
    const url = `mongodb://ada:hunter2hunter2@127.0.0.1:${await freePort()}/scorpio`;
    const said = await fault({ MONGODB_URL: url });
    expect(said).toMatch(/^.*MONGODB_URL.*$/);
    expect(said).not.toContain('hunter2');
  });

  it('[P9] says so in one line where the models file cannot be read', async () => {
    expect(await fault({ MODELS_FILE: 'absent.json' })).toMatch(
      /^[^\n]*:\n {2}- MODELS_FILE: absent\.json .*ENOENT.*$/,
    );
  });

  it('[P9] names every fault of the models file at once', async () => {
    const file = join(tempDir(), 'models.json');
    writeFileSync(file, '{"opnai/gpt-x": {}, "demo/scribe": {"price": {"input": "1", "output": 2}}}');
    const [, ...faults] = (await fault({ MODELS_FILE: file })).split('\n');
    expect(faults).toEqual([
      expect.stringMatching(/- MODELS_FILE \(opnai\/gpt-x\): there is no vendor opnai/),
      expect.stringMatching(/- MODELS_FILE \(demo\/scribe\.price\.input\): .*number/),
    ]);
  });

  it('[P9] says so where an endpoint has the name of a vendor', async () => {
    const endpoints = JSON.stringify([{ name: 'openai', baseUrl: 'http://127.0.0.1:9/v1' }]);
    expect(await fault({ LLM_ENDPOINTS: endpoints })).toMatch(/- LLM_ENDPOINTS: the name openai is that of a built-in/);
  });

  it('[P9] names every fault of its settings at once', async () => {
    const said = await fault({ PORT: 'eighty', LOG_LEVEL: 'loud', AUTH_MODE: 'magic', SECRET_KEY: 'short' });
    const [first, ...faults] = said.split('\n');
    expect(first).toMatch(/configuration/);
    expect(faults.map((line) => /- (\w+)/.exec(line)?.[1]).sort()).toEqual([
      'AUTH_MODE',
      'LOG_LEVEL',
      'PORT',
      'SECRET_KEY',
    ]);
    expect(said).not.toContain('short');
  });
});
