// Who may import whom. The tables are those of docs/architecture.md; test/architecture/boundaries.int-spec.ts plants
// a violation of every rule and sees it found.

const EVERYWHERE = ['kernel', 'config', 'observability', 'events', 'persistence'];

/** Libraries each library may use. */
const LIBS = {
  kernel: [],
  config: ['kernel'],
  events: ['kernel'],
  observability: ['kernel', 'config', 'events'],
  ...Object.fromEntries(
    ['persistence', 'bus', 'cache', 'workspace', 'llm', 'sandbox'].map((lib) => [
      lib,
      ['kernel', 'config', 'events', 'observability'],
    ]),
  ),
  outbound: ['kernel'],
  'json-schema': [],
  mcp: ['kernel', 'config', 'events', 'observability', 'outbound'],
  agent: ['kernel', 'events', 'json-schema', 'llm/src/contract.ts'],
  sdk: [],
};

/** What each room of apps/api/src may use beyond EVERYWHERE, http/ and auth/. */
const ROOMS = {
  http: {},
  auth: {},
  health: {},
  boot: { rooms: ['health'], libs: ['llm'] },
  models: { libs: ['llm'] },
  sessions: {},
  blobs: {},
  usage: {},
  files: { rooms: ['sessions', 'blobs'], libs: ['workspace'] },
  mcp: { libs: ['mcp', 'outbound', 'cache'] },
  tools: { rooms: ['sessions', 'files', 'blobs', 'mcp'], libs: ['mcp', 'outbound', 'sandbox', 'agent', 'cache'] },
  runs: { rooms: ['sessions'], libs: ['bus', 'json-schema'] },
  chat: {
    rooms: ['sessions', 'files', 'blobs', 'tools', 'models', 'runs', 'usage'],
    libs: ['llm', 'agent', 'cache'],
  },
  sandbox: { rooms: ['sessions'], libs: ['sandbox'] },
  'mcp-server': { rooms: ['tools', 'sessions', 'runs'], libs: ['mcp'] },
};

/** Packages that belong to one place. */
const PACKAGES = {
  openai: '^libs/llm/src/vendors/openai/',
  '@anthropic-ai': '^libs/llm/src/vendors/anthropic/',
  '@google/genai': '^libs/llm/src/vendors/google/',
  dockerode: '^libs/sandbox/src/docker/',
  '@modelcontextprotocol': '^(libs/mcp/|apps/api/src/mcp-server/)',
  mingo: '^libs/persistence/src/embedded/',
};

const SPEC = '[.-]spec\\.ts$';
const anyOf = (names) => `(${names.join('|')})`;
const npm = (name) => `(^|node_modules/)${name}(/|$)`;
/** A library, or one file of it. */
const lib = (name) => (name.includes('/') ? `^libs/${name.replaceAll('.', '\\.')}$` : `^libs/${name}/`);
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const libRules = Object.entries(LIBS).map(([name, allowed]) =>
  rule(
    `lib-${name}`,
    `libs/${name} may use: ${allowed.join(', ') || 'nothing'}.`,
    { path: lib(name), pathNot: SPEC },
    { path: '^(libs|apps)/', pathNot: [lib(name), ...allowed.map(lib)] },
  ),
);

/** Puts the rooms together; what the build joins into one file. */
const ENTRY = '^apps/api/src/boot/serve\\.ts$';

const roomRules = Object.entries(ROOMS).map(([name, { rooms = [], libs = [] }]) =>
  rule(
    `room-${name}`,
    `${name}/ may use ${[...rooms, ...libs.map((one) => `@scorpio/${one}`)].join(', ') || 'nothing'} beyond what every room may.`,
    { path: `^apps/api/src/${name}/`, pathNot: [SPEC, ENTRY] },
    {
      path: '^(libs/|apps/api/src/)',
      pathNot: [
        `^apps/api/src/${anyOf([name, 'http', 'auth', ...rooms])}/`,
        `^libs/${anyOf([...EVERYWHERE, ...libs])}/`,
      ],
    },
  ),
);

const packageRules = Object.entries(PACKAGES).map(([name, home]) =>
  rule(
    `package-${name}`,
    `${name} is only known in its own folder.`,
    { path: '^(apps|libs)/', pathNot: [home, SPEC] },
    { path: npm(name) },
  ),
);

module.exports = {
  forbidden: [
    rule(
      'no-circular',
      'A cycle is two things that are one.',
      { pathNot: '^libs/sdk/src/generated/' },
      { circular: true },
    ),
    rule('resolvable', 'Imports must exist.', {}, { couldNotResolve: true }),
    rule('lib-is-not-an-app', 'Arrows only go down.', { path: '^libs/' }, { path: '^apps/' }),
    rule(
      'lib-front-door',
      'A library is entered by its index.ts; llm also by contract.ts, and from tests by testing/.',
      { path: '^(apps|test)/' },
      {
        path: '^libs/',
        pathNot: ['^libs/[^/]+/src/index\\.ts$', '^libs/llm/src/contract\\.ts$', '^libs/[^/]+/src/testing/index\\.ts$'],
      },
    ),
    rule(
      'lib-front-door-between-libs',
      'A library is entered by its index.ts from other libraries too.',
      { path: '^libs/([^/]+)/' },
      {
        path: '^libs/',
        pathNot: [
          '^libs/$1/',
          '^libs/[^/]+/src/index\\.ts$',
          '^libs/llm/src/contract\\.ts$',
          '^libs/[^/]+/src/testing/index\\.ts$',
        ],
      },
    ),
    rule(
      'testing-only-in-tests',
      'The twins are for tests.',
      { path: '^(?:apps|libs)/', pathNot: [SPEC, '^libs/[^/]+/src/testing/'] },
      { path: ['^libs/[^/]+/src/testing/', '^test/', SPEC] },
    ),
    ...libRules,
    rule(
      'sdk-is-for-clients',
      'The client talks to the server; nothing in the house stands on it.',
      { path: '^(apps|libs)/', pathNot: ['^libs/sdk/', SPEC] },
      { path: '^libs/sdk/' },
    ),
    rule(
      'room-unlisted',
      'A new room gets its row in this file and in docs/architecture.md first.',
      { path: '^apps/api/src/[^/]+/', pathNot: `^apps/api/src/${anyOf([...Object.keys(ROOMS), 'bin'])}/` },
      {},
    ),
    ...roomRules,
    rule(
      'room-inside',
      'A room is used by its services, errors and contracts, not by its repository, schema or DTOs.',
      { path: '^apps/api/src/([^/]+)/', pathNot: SPEC },
      { path: '^apps/api/src/[^/]+/.*\\.(repository|schema|dto)\\.ts$', pathNot: '^apps/api/src/($1|http)/' },
    ),
    rule(
      'app-module',
      'The root module knows the rooms; no room knows it.',
      { path: '^apps/api/src/[^/]+/', pathNot: [SPEC, ENTRY, '^apps/api/src/bin/'] },
      { path: '^apps/api/src/(app\\.module|main)\\.ts$' },
    ),
    ...packageRules,
    rule(
      'package-mongoose',
      'Only persistence, schemas, repositories and module files know the store.',
      { path: '^(apps|libs)/', pathNot: [SPEC, '^libs/persistence/', '\\.(schema|repository|module)\\.ts$'] },
      { path: npm('(mongoose|mongodb|@nestjs/mongoose)') },
    ),
    rule(
      'agent-is-pure',
      'The agent loop, kernel and contract know no framework.',
      { path: '^libs/(agent|kernel)/|^libs/llm/src/contract\\.ts$', pathNot: SPEC },
      { path: npm('(@nestjs|express|pino|undici)') },
    ),
    rule(
      'agent-does-no-io',
      'The agent loop reaches the world only through what it is given.',
      { path: '^libs/agent/', pathNot: SPEC },
      {
        path: '^(node:)?(fs|net|http|https|http2|tls|dns|child_process|worker_threads|sqlite)(/|$)',
        dependencyTypes: ['core'],
      },
    ),
    rule(
      'no-dev-package',
      'What the server imports must be in dependencies.',
      { path: '^(apps|libs)/', pathNot: [SPEC, '/testing/'] },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|coverage|libs/sdk/dist)/' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Type imports are imports: a type-only arrow upwards is still knowledge of what is above.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
