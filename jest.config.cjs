// Projects by file name: unit (no I/O), integration (real store) and e2e (HTTP only), which `npm test` runs; faults, which
// are e2e too and take as long as all of these, by `npm run test:faults`; soak, as long as it is told to, by `npm run test:soak`.
const base = {
  rootDir: __dirname,
  testEnvironment: 'node',
  moduleFileExtensions: ['ts', 'js', 'json'],
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/test'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
          keepClassNames: true,
        },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  moduleNameMapper: {
    '^@scorpio/([^/]+)/contract$': '<rootDir>/libs/$1/src/contract.ts',
    '^@scorpio/([^/]+)/testing$': '<rootDir>/libs/$1/src/testing/index.ts',
    '^@scorpio/([^/]+)$': '<rootDir>/libs/$1/src/index.ts',
  },
};
const project = (displayName, testRegex, extra = {}) => ({ ...base, ...extra, displayName, testRegex });

module.exports = {
  rootDir: __dirname,
  workerIdleMemoryLimit: '768MB',
  // A worker that is done holds nothing, yet half a gigabyte takes a busy machine longer to free than jest's half second.
  workerGracefulExitTimeout: 10_000,
  // Two cores are what CI has; jest would leave one of them idle.
  maxWorkers: 2,
  projects: process.env.SOAK_STORE
    ? [project('soak', '/test/soak/.*-spec\\.ts$')]
    : [
        project('unit', '\\.spec\\.ts$'),
        project('integration', '-spec\\.ts$', { testPathIgnorePatterns: ['/node_modules/', '\\.e2e-spec\\.ts$'] }),
        project('e2e', '\\.e2e-spec\\.ts$', {
          testPathIgnorePatterns: ['/node_modules/', '/test/soak/', '/test/e2e/faults-'],
        }),
        project('faults', '/test/e2e/faults-.*\\.e2e-spec\\.ts$'),
      ],
  testTimeout: 30_000,
  collectCoverageFrom: ['{apps,libs}/**/src/**/*.ts', '!**/*.spec.ts', '!**/*-spec.ts', '!**/main.ts', '!**/bin/**'],
  coverageDirectory: 'coverage',
  coverageProvider: 'v8',
};
