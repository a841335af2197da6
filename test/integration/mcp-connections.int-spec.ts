import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { McpElicitation, McpResult } from '@scorpio/mcp';
import { eventually } from '../support/eventually';
import { FakeMcp } from '../support/mcp/fake-mcp';
import { httpServer, nodeServer, operatorServer, testHub } from '../support/mcp/hub';
import { ModernServer } from '../support/mcp/modern-server';
import { EVERYTHING } from '../support/mcp/reference-servers';
import { tempDir } from '../support/temp-dir';

const WAIT_MS = 20_000;
const textOf = ({ content: [first] }: Pick<McpResult, 'content'>): string =>
  first && 'text' in first ? (first.text ?? '') : '';

describe('a server of the revision of 2026-07-28', () => {
  let server: ModernServer;
  beforeAll(async () => (server = await ModernServer.start()));
  afterAll(() => server.close());

  it('[MC10] is spoken to in its own way: calls, questions within answers, changes of its tools', async () => {
    const connection = testHub().connection(operatorServer('modern', httpServer(server.url)));
    expect((await connection.tools(WAIT_MS)).map(({ tool }) => tool)).toEqual(['add', 'greet']);
    expect(connection.status).toMatchObject({ state: 'ready', protocolVersion: '2026-07-28' });
    expect(textOf(await connection.call('ada', 'add', { a: 2, b: 3 }, {}))).toBe('5');
    const asked: McpElicitation[] = [];
    const greet = (caller: string) =>
      connection.call(
        caller,
        'greet',
        {},
        {
          onElicit: async (question) => {
            asked.push(question);
            return { action: 'accept', content: { name: caller } };
          },
        },
      );
    // Many at a time: each question must reach the call that it is about.
    const all = await Promise.all(['ada', 'bob', 'cy'].map(greet));
    expect(all.map(textOf)).toEqual(['Hello ada', 'Hello bob', 'Hello cy']);
    expect(asked).toContainEqual(expect.objectContaining({ mode: 'form', server: 'modern', message: 'Who?' }));
    expect(textOf(await connection.call('ada', 'greet', {}, {}))).toBe('Nobody said');
    server.add('later');
    await eventually(async () =>
      expect((await connection.tools(0)).map(({ tool }) => tool)).toEqual(['add', 'greet', 'later']),
    );
    expect(server.revisions).toContain('2026-07-28');
  });
});

describe('a connection', () => {
  let fake: FakeMcp;
  beforeAll(async () => (fake = await FakeMcp.start()));
  beforeEach(() => {
    fake.fault = undefined;
    fake.refuseAll = undefined;
    fake.silent = false;
  });
  afterAll(() => fake.close());

  it('[MC5] waits for a list no longer than it may, and hears of the server when it comes to itself', async () => {
    fake.silent = true;
    const connection = testHub({ connectTimeoutMs: 500 }).connection(operatorServer('slow', httpServer(fake.url)));
    expect(await connection.tools(50)).toEqual([]);
    await eventually(() =>
      expect(connection.status).toMatchObject({ state: 'failed', reason: 'it did not answer in time' }),
    );
    await expect(connection.call('ada', 'echo', {}, {})).rejects.toMatchObject({
      code: 'mcp_server_unavailable',
      details: { retryAfter: 1 },
    });
    fake.silent = false;
    await eventually(async () => expect(await connection.tools(WAIT_MS)).toHaveLength(1));
  });

  it('keeps the list of a server that went away, and connects again by itself', async () => {
    const connection = testHub().connection(operatorServer('away', httpServer(fake.url)));
    await connection.connect();
    fake.refuseAll = 503;
    await expect(connection.call('ada', 'echo', {}, {})).rejects.toMatchObject({ code: 'mcp_server_unavailable' });
    expect(await connection.tools(0)).toHaveLength(1);
    fake.refuseAll = undefined;
    await eventually(() => expect(connection.status.state).toBe('ready'));
  });

  it('hears of changed tools', async () => {
    const connection = testHub().connection(operatorServer('changing', httpServer(fake.url)));
    await connection.connect();
    await eventually(() =>
      expect(fake.seen.some(({ method, path }) => method === 'GET' && path === '/mcp')).toBe(true),
    );
    fake.change([{ name: 'echo' }, { name: 'more' }]);
    await eventually(async () => expect(await connection.tools(0)).toHaveLength(2));
    fake.change([{ name: 'echo' }]);
  });

  it('sends the key of the logical call, so that a server can tell a repetition', async () => {
    const connection = testHub().connection(operatorServer('keyed', httpServer(fake.url)));
    await connection.call('ada', 'echo', {}, { key: 'call-1' });
    expect(fake.calls.at(-1)?.meta).toMatchObject({ 'scorpio/idempotency-key': 'call-1' });
  });

  it('has a person go where the server says, and then asks again', async () => {
    const connection = testHub().connection(operatorServer('visit', httpServer(fake.url)));
    const elicitations = [{ mode: 'url', elicitationId: 'e1', url: 'https://bank.example/pay', message: 'Pay first' }];
    fake.fault = { rpcError: { code: -32042, message: 'Pay first', data: { elicitations } } };
    const visited: McpElicitation[] = [];
    const paid = await connection.call(
      'ada',
      'echo',
      {},
      {
        onElicit: async (question) => {
          visited.push(question);
          fake.fault = undefined;
          return { action: 'accept' };
        },
      },
    );
    expect(visited).toEqual([{ mode: 'url', server: 'visit', message: 'Pay first', url: 'https://bank.example/pay' }]);
    expect(paid.isError).toBe(false);
    fake.fault = { rpcError: { code: -32042, message: 'Pay first', data: { elicitations } } };
    await expect(connection.call('ada', 'echo', {}, {})).rejects.toMatchObject({ code: 'mcp_call_refused' });
  });

  it('keeps the beginning and the end of a long result, and hands the whole over', async () => {
    fake.fault = 'huge';
    const connection = testHub({ responseMaxBytes: 5_000_000 }).connection(
      operatorServer('long', httpServer(fake.url)),
    );
    const { content, full } = await connection.call('ada', 'echo', {}, {});
    expect(textOf({ content }).length).toBeLessThan(10_100);
    expect(full).toEqual({ text: 'x'.repeat(3_000_000), omittedChars: 2_990_000 });
  });
});

describe('a server that is a process', () => {
  it('is asked nothing of that could be about the call of another person', async () => {
    const connection = testHub().connection(operatorServer('shared', nodeServer(EVERYTHING, 'stdio')));
    const ask = (caller: string) =>
      connection.call(
        caller,
        'trigger-elicitation-request',
        {},
        {
          onElicit: async () => ({ action: 'accept', content: { name: caller } }),
        },
      );
    const both = await Promise.all([ask('ada'), ask('bob')]);
    expect(both.map((result) => JSON.stringify(result)).join()).not.toMatch(/name: (ada|bob)/i);
    expect(JSON.stringify(await ask('ada'))).toMatch(/ada/);
  });

  it('[MC3] ends with all that it started, and is started again when it dies', async () => {
    const folder = tempDir();
    const program = join(folder, 'wrapper.cjs');
    // As a wrapper such as npx does: the server is a child of what we start.
    writeFileSync(
      program,
      `const { spawn } = require('node:child_process');
       const server = spawn(process.execPath, [${JSON.stringify(EVERYTHING)}, 'stdio'], { stdio: 'inherit' });
       const helper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
       const pids = [process.pid, server.pid, helper.pid].join(' ');
       require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'pids'))}, pids + '\\n');
       process.on('SIGTERM', () => {});`,
    );
    const pids = (): number[] => readFileSync(join(folder, 'pids'), 'utf8').trim().split(/\s+/).map(Number);
    const alive = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    const connection = testHub().connection(operatorServer('wrapped', nodeServer(program)));
    await connection.connect();
    const [first] = pids();
    process.kill(first!, 'SIGKILL');
    await eventually(() => expect(connection.status.state).not.toBe('ready'));
    await eventually(() => expect(connection.status.state).toBe('ready'));
    expect(JSON.stringify(await connection.call('ada', 'echo', { message: 'back' }, {}))).toContain('Echo: back');
    await connection.close();
    await eventually(() => expect(pids().filter(alive)).toEqual([]));
  });
});
