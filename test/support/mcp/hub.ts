import { createHash } from 'node:crypto';
import { McpHub, type ConnectionOptions, type McpServerSpec } from '@scorpio/mcp';
import { openOutbound } from '@scorpio/outbound';

/** A server under a name, as an operator would have it. */
export function operatorServer(
  name: string,
  target: McpServerSpec['target'],
  more: Partial<McpServerSpec> = {},
): McpServerSpec {
  const version = createHash('sha256').update(JSON.stringify(target)).digest('hex');
  return { id: `mcp_${name}`, name, origin: 'operator', trusted: false, version, target, ...more };
}

/** A program of Node as a server. */
export const nodeServer = (file: string, ...args: string[]): McpServerSpec['target'] => ({
  type: 'stdio',
  command: process.execPath,
  args: [file, ...args],
  env: {},
});

export const httpServer = (url: string, type: 'http' | 'sse' = 'http'): McpServerSpec['target'] => ({
  type,
  url,
  headers: {},
});

const hubs: McpHub[] = [];

/** A hub that may reach this machine; closed when the test file is done. */
export function testHub(options: Partial<ConnectionOptions> = {}): McpHub {
  const outbound = openOutbound({ allow: ['127.0.0.1'], maxBytes: options.responseMaxBytes });
  const hub = new McpHub({
    product: { name: 'scorpio-test', version: '1.0.0' },
    connectTimeoutMs: 15_000,
    responseMaxBytes: 1_048_576,
    sampling: false,
    baseEnvironment: { PATH: process.env.PATH ?? '' },
    outbound: () => outbound,
    oauth: { redirectUrl: 'http://127.0.0.1:1/callback', clientName: 'Scorpio' },
    resultMaxChars: 10_000,
    callTimeoutMs: 20_000,
    callMaxMs: 60_000,
    ...options,
  });
  hubs.push(hub);
  void outbound.then((one) => ways.push(one));
  return hub;
}

const ways: Awaited<ReturnType<typeof openOutbound>>[] = [];
afterAll(async () => {
  await Promise.all(hubs.splice(0).map((hub) => hub.close()));
  await Promise.all(ways.splice(0).map((way) => way.close()));
});
