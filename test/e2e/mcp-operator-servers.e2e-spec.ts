import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { McpService } from '../../apps/api/src/mcp/mcp.service';
import { AppHarness } from '../support/app-harness';
import { eventually } from '../support/eventually';
import { FakeMcp } from '../support/mcp/fake-mcp';
import { EVERYTHING } from '../support/mcp/reference-servers';
import { tempDir } from '../support/temp-dir';

const SERVERS = '/api/v1/mcp/servers';
const LOCAL = { tenantId: 'local', ownerId: 'local' };

describe("MCP servers of the operator's file", () => {
  let app: AppHarness;
  let file: string;
  let fake: FakeMcp;
  const write = (mcpServers: object): void => writeFileSync(file, JSON.stringify({ mcpServers }));
  beforeAll(async () => {
    fake = await FakeMcp.start({
      tools: [{ name: 'look', annotations: { readOnlyHint: true, idempotentHint: true } }],
    });
    file = join(tempDir(), 'mcp.json');
    write({
      everything: { command: process.execPath, args: [EVERYTHING, 'stdio'], env: { GIVEN: '${TOKEN}' } },
      Trusted: { url: fake.url, trusted: true, headers: { 'X-Token': '${TOKEN}' } },
      stranger: { url: fake.url },
      broken: { url: 'http://127.0.0.1:1/mcp', headers: { 'X-Key': '${SECRET_KEY}' } },
      dead: { command: '/nowhere/at-all' },
      left: { command: 'sh', disabled: true },
    });
    app = await AppHarness.start({
      MCP_CONFIG: file,
      MCP_ENV: 'TOKEN',
      TOKEN: 'planted-token-value',
      PATH: process.env.PATH!,
    });
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });
  const servers = async () => (await app.api().get(SERVERS)).body.items;

  it('[MC6] serve everyone; one that is broken is told of and holds nobody up', async () => {
    const tools = app.app.get(McpService);
    await eventually(async () =>
      expect((await tools.toolsFor(LOCAL)).map(({ server }) => server)).toContain('everything'),
    );
    expect((await tools.call(LOCAL, 'everything__echo', { message: 'hi' })).content).toEqual([
      { type: 'text', text: 'Echo: hi' },
    ]);
    await eventually(async () =>
      expect(
        Object.fromEntries((await servers()).map((one: any) => [one.name, [one.status.state, one.status.reason]])),
      ).toEqual({
        everything: ['ready', null],
        Trusted: ['ready', null],
        stranger: ['ready', null],
        broken: ['failed', '${SECRET_KEY} is not set, or not named in MCP_ENV'],
        dead: ['failed', 'there is no such program (ENOENT)'],
      }),
    );
  });

  it("[M13] keep the file's secrets, which reach the servers alone", async () => {
    expect(fake.seen.some(({ headers }) => headers['x-token'] === 'planted-token-value')).toBe(true);
    const environment = JSON.stringify(await app.app.get(McpService).call(LOCAL, 'everything__get-env', {}));
    expect(environment).toContain('planted-token-value');
    expect(environment).not.toMatch(/SECRET_KEY|kkkkkkkk/);
    expect(JSON.stringify(await servers())).not.toMatch(/planted-token-value|GIVEN|server-everything/);
  });

  it('[MC7] have hints that count only where the operator trusts them', async () => {
    const tools = await app.app.get(McpService).toolsFor(LOCAL);
    const hints = Object.fromEntries(tools.map(({ name, hints: said }) => [name, said]));
    expect(hints.Trusted__look).toEqual({ readOnly: true, idempotent: true, destructive: true, trusted: true });
    expect(hints.stranger__look).toEqual({ readOnly: false, idempotent: false, destructive: true, trusted: false });
  });

  it('[MC6] cannot be changed by users, nor their names be taken', async () => {
    const api = app.api();
    const { id } = (await servers()).find((one: any) => one.name === 'stranger');
    for (const refused of [
      await api.patch(`${SERVERS}/${id}`, { enabled: false }),
      await api.delete(`${SERVERS}/${id}`),
    ])
      expect(refused).toMatchObject({ status: 403, body: { code: 'mcp_server_is_operators' } });
    expect(await api.post(SERVERS, { name: 'stranger', url: 'https://mcp.example/', enabled: false })).toMatchObject({
      status: 409,
      body: { code: 'mcp_server_name_taken' },
    });
  });

  it('[MC6] follow the file: what is gone ends, what is new begins, nonsense changes nothing', async () => {
    writeFileSync(file, 'nonsense');
    write({ stranger: { url: fake.url }, added: { url: fake.url } });
    await eventually(async () => expect((await servers()).map((one: any) => one.name)).toEqual(['stranger', 'added']));
    await eventually(async () =>
      expect((await app.app.get(McpService).toolsFor(LOCAL)).map(({ name }) => name)).toEqual([
        'added__look',
        'stranger__look',
      ]),
    );
    writeFileSync(file, 'nonsense');
    expect((await app.app.get(McpService).toolsFor(LOCAL)).map(({ name }) => name)).toHaveLength(2);
  });

  it('[MC6] stop the start where the file cannot be read', async () => {
    await expect(AppHarness.start({ MCP_CONFIG: '/nowhere/mcp.json' })).rejects.toMatchObject({
      code: 'mcp_config_invalid',
    });
  });
});
