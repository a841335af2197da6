import tseslint from 'typescript-eslint';

// ESLint keeps promises awaited and files small. Who may import whom is dependency-cruiser's alone.
// Soft budgets, for people: 250 lines a file, 50 a function. The hard ones are below.

/** A controller translates: more than five lines of body are logic that belongs in a service. */
const thinController = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { fat: 'A controller method has {{lines}} lines; five are the most.' },
  },
  create: (context) => ({
    'MethodDefinition[kind="method"] > FunctionExpression > BlockStatement'({ loc }) {
      const lines = loc.end.line - loc.start.line - 1;
      if (lines > 5) context.report({ loc, messageId: 'fat', data: { lines } });
    },
  }),
};

const banned = {
  environment: {
    selector: 'MemberExpression[object.name="process"][property.name="env"]',
    message: 'Read settings from AppConfig; only libs/config, main.ts, bin/ and tests read the environment.',
  },
  mocks: {
    selector:
      'CallExpression[callee.object.name="jest"][callee.property.name=/^(mock|doMock|setMock|unstable_mockModule)$/]' +
      '[arguments.0.value=/^(@scorpio\\u002F|\\.)/]',
    message: 'Use the twin in the testing/ folder of the interface, or a fake server; our own modules are not mocked.',
  },
  injections: {
    selector:
      'ClassDeclaration:has(> Decorator) MethodDefinition[kind="constructor"] > FunctionExpression[params.length>6]',
    message: 'More than six injected dependencies: this class does more than one thing.',
  },
};
const forwardRef = {
  name: '@nestjs/common',
  importNames: ['forwardRef'],
  message: 'Cut the cycle: an upward need is a domain event.',
};
const exceptions = {
  name: '@nestjs/common',
  importNamePattern: 'Exception$',
  message: 'Throw a DomainError; only http/ knows statuses.',
};
const restrictImports = (...rules) => [
  'error',
  {
    paths: rules.filter((rule) => rule.importNames),
    patterns: rules.filter((rule) => rule.importNamePattern).map(({ name, ...rule }) => ({ ...rule, group: [name] })),
  },
];

const specs = ['**/*.spec.ts', '**/*-spec.ts', 'test/**/*.ts'];

export default tseslint.config(
  { ignores: ['**/dist/', '**/coverage/', '**/data/', 'libs/sdk/src/generated/', '**/*.cjs', '**/*.mjs'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    plugins: { house: { rules: { 'thin-controller': thinController } } },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      // Nest reads constructor types at run time: an `import type` there breaks injection.
      '@typescript-eslint/consistent-type-imports': 'off',
      // An async method without await keeps the promise of its interface: it rejects, it does not throw.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // How the declarations of an untyped package reach every build.
      '@typescript-eslint/triple-slash-reference': ['error', { path: 'always' }],
      'no-restricted-imports': restrictImports(forwardRef, exceptions),
      'no-restricted-syntax': ['error', ...Object.values(banned)],
      'max-lines': ['error', { max: 400 }],
      'max-lines-per-function': ['error', { max: 80 }],
    },
  },
  { files: ['**/*.d.ts'], rules: { '@typescript-eslint/no-unused-vars': 'off' } },
  { files: ['libs/llm/src/vendors/**/*.ts'], rules: { 'max-lines': ['error', { max: 500 }] } },
  { files: ['**/*.module.ts'], rules: { 'max-lines': ['error', { max: 40 }] } },
  { files: ['**/*.controller.ts'], rules: { 'house/thin-controller': 'error' } },
  { files: ['apps/api/src/http/**/*.ts'], rules: { 'no-restricted-imports': restrictImports(forwardRef) } },
  {
    files: ['libs/config/src/**/*.ts', 'apps/api/src/main.ts', 'apps/api/src/bin/**/*.ts', 'examples/*.ts'],
    rules: { 'no-restricted-syntax': ['error', banned.mocks, banned.injections] },
  },
  {
    files: specs,
    rules: {
      'no-restricted-imports': 'off',
      'no-restricted-syntax': ['error', banned.mocks],
      'max-lines-per-function': 'off',
      // What a response body holds is what the test asserts.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
