// Three projects by file name: unit (no I/O), integration (real store) and e2e (HTTP only). `npm test` runs all three;
// `npm run test:soak` one more, which takes as long as it is told to.
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
        project('e2e', '\\.e2e-spec\\.ts$', { testPathIgnorePatterns: ['/node_modules/', '/test/soak/'] }),
      ],
  testTimeout: 30_000,
  collectCoverageFrom: ['{apps,libs}/**/src/**/*.ts', '!**/*.spec.ts', '!**/*-spec.ts', '!**/main.ts', '!**/bin/**'],
  coverageDirectory: 'coverage',
  coverageProvider: 'v8',
};
