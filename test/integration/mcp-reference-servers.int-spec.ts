import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { McpConnection, McpElicitation, McpHub, McpProgress } from '@scorpio/mcp';
import { httpServer, nodeServer, operatorServer, testHub } from '../support/mcp/hub';
import { EVERYTHING, EverythingServer, FILESYSTEM } from '../support/mcp/reference-servers';
import { tempDir } from '../support/temp-dir';

const WAIT_MS = 20_000;
const text = (result: { content: { type: string; text?: string }[] }): string =>
  result.content.map((block) => block.text ?? '').join('\n');

describe.each([
  ['stdio', async () => ({ target: nodeServer(EVERYTHING, 'stdio'), close: async () => undefined })],
  [
    'Streamable HTTP',
    async () => {
      const server = await EverythingServer.start();
      return { target: httpServer(server.url), close: () => server.close() };
    },
  ],
  [
    'HTTP+SSE of 2024',
    async () => {
      const server = await EverythingServer.start('sse');
      return { target: httpServer(server.url, 'sse'), close: () => server.close() };
    },
  ],
] as const)('[MC1] server-everything over %s', (_name, start) => {
  let connection: McpConnection;
  let close: () => Promise<unknown>;
  beforeAll(async () => {
    const { target, close: end } = await start();
    close = end;
    connection = testHub({ sampling: true }).connection(operatorServer('everything', target));
  });
  afterAll(async () => {
    await connection.close();
    await close();
  });

  it('lists its tools, and says what it is', async () => {
    const tools = await connection.tools(WAIT_MS);
    expect(tools.map(({ tool }) => tool)).toEqual(expect.arrayContaining(['echo', 'get-sum', 'get-tiny-image']));
    expect(tools.find(({ tool }) => tool === 'echo')?.inputSchema).toMatchObject({
      type: 'object',
      required: ['message'],
    });
    expect(connection.status).toMatchObject({ state: 'ready', protocolVersion: '2025-11-25' });
    expect(connection.status.product?.name).toContain('everything');
  });

  it('gives text, images, links and structured results', async () => {
    expect(await connection.call('ada', 'echo', { message: 'hi' }, {})).toEqual({
      content: [{ type: 'text', text: 'Echo: hi' }],
      isError: false,
    });
    const image = await connection.call('ada', 'get-tiny-image', {}, {});
    expect(image.content).toContainEqual({
      type: 'image',
      mediaType: 'image/png',
      data: expect.stringMatching(/^iVBOR/),
    });
    const links = await connection.call('ada', 'get-resource-links', { count: 2 }, {});
    expect(links.content.filter(({ type }) => type === 'resource_link')).toHaveLength(2);
    const weather = await connection.call('ada', 'get-structured-content', { location: 'New York' }, {});
    expect(weather.structured).toMatchObject({ temperature: expect.any(Number) });
  });

  it('tells of bad arguments as the server does, for the model to see', async () => {
    const refused = await connection.call('ada', 'get-sum', { a: 'x' }, {}).catch((error: Error) => error);
    expect(refused instanceof Error ? refused.message : text(refused)).toMatch(/invalid/i);
  });

  it('passes progress on', async () => {
    const seen: McpProgress[] = [];
    const args = { duration: 0.3, steps: 3 };
    await connection.call('ada', 'trigger-long-running-operation', args, { onProgress: (one) => seen.push(one) });
    // The SDK drops progress that comes in one read with the result.
    expect(seen.map(({ progress, total }) => [progress, total]).slice(0, 2)).toEqual([
      [1, 3],
      [2, 3],
    ]);
  });

  it('ends a call that is aborted', async () => {
    const stop = new AbortController();
    const call = connection.call(
      'ada',
      'trigger-long-running-operation',
      { duration: 60, steps: 60 },
      {
        signal: stop.signal,
      },
    );
    stop.abort(new Error('stopped'));
    await expect(call).rejects.toThrow('stopped');
    expect(text(await connection.call('ada', 'echo', { message: 'still here' }, {}))).toBe('Echo: still here');
  });

  it('asks the person whose call it is, and declines where there is none', async () => {
    const asked: McpElicitation[] = [];
    const answered = await connection.call(
      'ada',
      'trigger-elicitation-request',
      {},
      {
        onElicit: async (elicitation) => {
          asked.push(elicitation);
          return { action: 'accept', content: { name: 'Ada', check: true } };
        },
      },
    );
    expect(asked).toEqual([
      expect.objectContaining({ mode: 'form', server: 'everything', schema: expect.any(Object) }),
    ]);
    expect(text(answered)).toContain('Ada');
    expect(text(await connection.call('ada', 'trigger-elicitation-request', {}, {}))).toMatch(/declin/i);
  });

  it('lets the server ask a model through the one who calls', async () => {
    const result = await connection.call(
      'ada',
      'trigger-sampling-request',
      { prompt: 'why?', maxTokens: 10 },
      {
        onSample: async (request) => {
          expect(JSON.stringify(request)).toContain('why?');
          return { role: 'assistant', model: 'm', content: { type: 'text', text: 'because' } };
        },
      },
    );
    expect(text(result)).toContain('because');
  });

  it('lists and reads resources and prompts', async () => {
    const { resources } = await connection.with((client) => client.listResources());
    expect(resources.length).toBeGreaterThan(0);
    const read = await connection.with((client) => client.readResource({ uri: resources[0].uri }));
    expect(read.contents[0].uri).toBe(resources[0].uri);
    const { prompts } = await connection.with((client) => client.listPrompts());
    expect(prompts.map(({ name }) => name)).toContain('simple-prompt');
  });
});

describe('[MC2] a server of HTTP that starts anew', () => {
  it('is introduced to again, and the call made once more', async () => {
    const server = await EverythingServer.start();
    const connection = testHub().connection(operatorServer('again', httpServer(server.url)));
    expect(text(await connection.call('ada', 'echo', { message: 'one' }, {}))).toBe('Echo: one');
    await server.restart();
    expect(text(await connection.call('ada', 'echo', { message: 'two' }, {}))).toBe('Echo: two');
    await connection.close();
    await server.close();
  });
});

describe('[MC3] a server that is a process', () => {
  let hub: McpHub;
  beforeAll(() => (hub = testHub()));

  it('serves files of its folder (server-filesystem)', async () => {
    const folder = realpathSync(tempDir());
    writeFileSync(join(folder, 'a.txt'), 'in the folder');
    const connection = hub.connection(operatorServer('files', nodeServer(FILESYSTEM, folder)));
    const tools = await connection.tools(WAIT_MS);
    expect(tools.find(({ tool }) => tool === 'read_text_file')?.hints).toMatchObject({ readOnly: true });
    expect(text(await connection.call('ada', 'read_text_file', { path: join(folder, 'a.txt') }, {}))).toBe(
      'in the folder',
    );
    await connection.call('ada', 'write_file', { path: join(folder, 'b.txt'), content: 'new' }, {});
    expect(readFileSync(join(folder, 'b.txt'), 'utf8')).toBe('new');
    const outside = await connection.call('ada', 'read_text_file', { path: '/etc/passwd' }, {});
    expect(outside.isError).toBe(true);
  });

  it('is given nothing of our environment', async () => {
    process.env.SCORPIO_TEST_SECRET = 'do-not-pass-on';
    const connection = hub.connection(operatorServer('env', nodeServer(EVERYTHING, 'stdio')));
    const environment = text(await connection.call('ada', 'get-env', {}, {}));
    delete process.env.SCORPIO_TEST_SECRET;
    expect(environment).toContain('PATH');
    expect(environment).not.toMatch(/do-not-pass-on|SECRET|JEST/);
  });
});
