import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { tempDir } from '../support/temp-dir';

const root = resolve(__dirname, '../..');
const config = join(root, '.dependency-cruiser.cjs');
const { forbidden } = createRequire(__filename)(config) as { forbidden: { name: string }[] };

interface Violation {
  rule: { name: string };
  from: string;
  to: string;
}

function cruise(folder: string): Violation[] {
  const binary = join(root, 'node_modules/.bin/depcruise');
  const args = [binary, 'apps', 'libs', 'test', '--config', config, '--output-type', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (!stdout) throw new Error(stderr);
  return (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}

const imports = (...paths: string[]) =>
  [...paths.map((path) => `import * as ${`from_${path}`.replaceAll(/\W/g, '_')} from '${path}';`), 'export {};'].join(
    '\n',
  );

/** What may be there, so that planted imports have something to point at. */
const HOUSE: Record<string, string> = {
  'test/support/fake.ts': imports(),
  'apps/api/src/app.module.ts': imports(),
  'apps/api/src/sessions/session.repository.ts': imports('mongoose', '@scorpio/persistence'),
  'apps/api/src/sessions/sessions.service.ts': imports('./session.repository', '@scorpio/kernel', '../http/page.dto'),
  'apps/api/src/http/page.dto.ts': imports(),
  'apps/api/src/chat/chat.service.ts': imports('../runs/runs.service', '../sessions/sessions.service', '@scorpio/llm'),
  'apps/api/src/chat/chat.service.spec.ts': imports('@scorpio/llm/testing', '../../../../test/support/fake'),
  'apps/api/src/runs/runs.service.ts': imports('../sessions/sessions.service', '@scorpio/bus'),
  'libs/llm/src/contract.ts': imports('@scorpio/kernel'),
  'libs/llm/src/testing/index.ts': imports(),
  'libs/llm/src/vendors/openai/openai.provider.ts': imports('openai'),
  'libs/llm/src/llm-registry.ts': imports(),
  ...Object.fromEntries(
    [
      'kernel',
      'config',
      'events',
      'observability',
      'persistence',
      'bus',
      'cache',
      'workspace',
      'mcp',
      'outbound',
      'json-schema',
      'sandbox',
      'sdk',
    ].map((lib) => [`libs/${lib}/src/index.ts`, imports()]),
  ),
  'libs/llm/src/index.ts': imports('./llm-registry'),
  'libs/agent/src/index.ts': imports('@scorpio/llm/contract', '@scorpio/events'),
};

const room = (name: string, ...paths: string[]): [string, string] => [
  `apps/api/src/${name}/planted.ts`,
  imports(...paths),
];
const lib = (name: string, ...paths: string[]): [string, string] => [`libs/${name}/src/planted.ts`, imports(...paths)];
const tell = (name: string, [path, text]: [string, string]): [string, [string, string]] => [name, [path, text]];

/** One violation of each rule: the rule, the file that breaks it, what the file says. */
const PLANTED: [string, [string, string]][] = [
  tell('no-circular', ['libs/kernel/src/circle.ts', imports('./circle')]),
  tell('resolvable', ['libs/kernel/src/lost.ts', imports('./nowhere')]),
  tell('lib-is-not-an-app', lib('bus', '../../../apps/api/src/app.module')),
  tell('lib-front-door', ['apps/api/src/models/door.ts', imports('../../../../libs/llm/src/llm-registry')]),
  tell('lib-front-door-between-libs', ['libs/mcp/src/door.ts', imports('../../events/src/planted')]),
  tell('testing-only-in-tests', ['apps/api/src/chat/twin.ts', imports('@scorpio/llm/testing')]),
  tell('testing-only-in-tests', ['apps/api/src/chat/fake.ts', imports('../../../../test/support/fake')]),
  tell('lib-kernel', lib('kernel', '@scorpio/config')),
  tell('lib-config', lib('config', '@scorpio/events')),
  tell('lib-events', lib('events', '@scorpio/llm/contract')),
  tell('lib-observability', lib('observability', '@scorpio/persistence')),
  tell('lib-persistence', lib('persistence', '@scorpio/bus')),
  tell('lib-bus', ['libs/bus/src/side.ts', imports('@scorpio/cache')]),
  tell('lib-cache', lib('cache', '@scorpio/persistence')),
  tell('lib-workspace', lib('workspace', '@scorpio/sandbox')),
  tell('lib-llm', lib('llm', '@scorpio/agent')),
  tell('lib-outbound', lib('outbound', '@scorpio/config')),
  tell('lib-json-schema', lib('json-schema', '@scorpio/config')),
  tell('lib-mcp', lib('mcp', '@scorpio/llm')),
  tell('lib-sandbox', lib('sandbox', '@scorpio/workspace')),
  tell('lib-agent', lib('agent', '@scorpio/llm')),
  tell('lib-sdk', lib('sdk', '@scorpio/kernel')),
  tell('sdk-is-for-clients', ['apps/api/src/bin/client.ts', imports('@scorpio/sdk')]),
  tell('room-unlisted', room('garage', '@scorpio/kernel')),
  tell('room-http', room('http', '../sessions/sessions.service')),
  tell('room-auth', room('auth', '@scorpio/llm')),
  tell('room-health', room('health', '../runs/runs.service')),
  tell('room-boot', room('boot', '../sessions/sessions.service')),
  tell('room-models', room('models', '../chat/chat.service')),
  tell('room-sessions', room('sessions', '../runs/runs.service')),
  tell('room-blobs', room('blobs', '../sessions/sessions.service')),
  tell('room-usage', room('usage', '@scorpio/llm')),
  tell('room-files', room('files', '../runs/runs.service')),
  tell('room-mcp', room('mcp', '../sessions/sessions.service')),
  tell('room-tools', room('tools', '../runs/runs.service')),
  tell('room-runs', room('runs', '../chat/chat.service')),
  tell('room-chat', room('chat', '@scorpio/sandbox')),
  tell('room-sandbox', room('sandbox', '@scorpio/agent')),
  tell('room-mcp-server', room('mcp-server', '../chat/chat.service')),
  tell('room-inside', ['apps/api/src/runs/inside.ts', imports('../sessions/session.repository')]),
  tell('app-module', ['apps/api/src/auth/root.ts', imports('../app.module')]),
  tell('package-openai', ['apps/api/src/chat/sdk.ts', imports('openai')]),
  tell('package-@anthropic-ai', ['libs/llm/src/vendors/openai/anthropic.ts', imports('@anthropic-ai/sdk')]),
  tell('package-@google/genai', ['libs/llm/src/google.ts', imports('@google/genai')]),
  tell('package-dockerode', ['libs/sandbox/src/docker.ts', imports('dockerode')]),
  tell('package-@modelcontextprotocol', ['apps/api/src/mcp/sdk.ts', imports('@modelcontextprotocol/client')]),
  tell('package-mingo', ['libs/persistence/src/mingo.ts', imports('mingo')]),
  tell('package-mongoose', ['apps/api/src/sessions/model.ts', imports('@nestjs/mongoose')]),
  tell('agent-is-pure', ['libs/agent/src/nest.ts', imports('@nestjs/common')]),
  tell('agent-does-no-io', ['libs/agent/src/disk.ts', imports('node:fs')]),
  tell('no-dev-package', ['apps/api/src/health/dev.ts', imports('prettier')]),
];

describe('who may import whom', () => {
  it('is kept by the whole tree', () => {
    expect(cruise(root).map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  describe('with a violation of each rule planted', () => {
    let violations: Violation[];

    beforeAll(() => {
      const folder = tempDir();
      for (const [path, text] of [...Object.entries(HOUSE), ...PLANTED.map(([, file]) => file)]) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      for (const name of ['tsconfig.json', 'package.json']) copyFileSync(join(root, name), join(folder, name));
      symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
      violations = cruise(folder);
    });

    it.each(PLANTED)('finds that %s is broken', (rule, [path]) => {
      expect(violations.filter(({ from }) => from === path).map((violation) => violation.rule.name)).toContain(rule);
    });

    it('has planted one for every rule', () => {
      expect(new Set(PLANTED.map(([name]) => name))).toEqual(new Set(forbidden.map(({ name }) => name)));
    });

    it('finds nothing wrong with the house around them', () => {
      expect(violations.filter(({ from }) => from in HOUSE)).toEqual([]);
    });
  });
});
