import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { tempDir } from '../support/temp-dir';

const root = resolve(__dirname, '../..');
const lines = (count: number): string => 'export {};\n'.padEnd(count + 10, '\n');
const longFunction = (count: number): string => `export function long() {${'\n'.repeat(count - 1)}}\n`;
const service = (dependencies: number): string =>
  `import { Injectable } from '@nestjs/common';\n@Injectable()\nexport class Service {\n  constructor(` +
  Array.from({ length: dependencies }, (_, index) => `readonly d${index}: string`).join(', ') +
  ') {}\n}\n';
const controller = (body: number): string =>
  `export class Planted {\n  get() {\n${'    void 0;\n'.repeat(body)}  }\n}\n`;

/** File, what it says, and the rule that must object; none where the same is allowed. */
const PLANTED: [string, string, string?][] = [
  ['apps/api/src/chat/cycle.ts', `import { forwardRef } from '@nestjs/common';\nforwardRef;`, 'no-restricted-imports'],
  [
    'apps/api/src/chat/status.ts',
    `import { NotFoundException } from '@nestjs/common';\nNotFoundException;`,
    'no-restricted-imports',
  ],
  ['apps/api/src/http/status.ts', `export { NotFoundException } from '@nestjs/common';`],
  ['apps/api/src/chat/environment.ts', 'export const url = process.env.URL;', 'no-restricted-syntax'],
  ['libs/config/src/environment.ts', 'export const url = process.env.URL;'],
  ['libs/llm/src/mock.spec.ts', `jest.mock('@scorpio/kernel');`, 'no-restricted-syntax'],
  ['libs/llm/src/mock-beside.spec.ts', `jest.mock('./planted');`, 'no-restricted-syntax'],
  ['libs/llm/src/mock-package.spec.ts', `jest.mock('pino');`],
  ['apps/api/src/chat/seven.service.ts', service(7), 'no-restricted-syntax'],
  ['apps/api/src/chat/six.service.ts', service(6)],
  ['apps/api/src/chat/floating.ts', 'Promise.resolve();\nexport {};', '@typescript-eslint/no-floating-promises'],
  ['apps/api/src/chat/floating.spec.ts', 'Promise.resolve();\nexport {};', '@typescript-eslint/no-floating-promises'],
  [
    'apps/api/src/chat/misused.ts',
    'if (Promise.resolve(1)) void 0;\nexport {};',
    '@typescript-eslint/no-misused-promises',
  ],
  ['apps/api/src/chat/long.ts', lines(401), 'max-lines'],
  ['apps/api/src/chat/short.ts', lines(400)],
  ['libs/llm/src/vendors/planted/long.ts', lines(501), 'max-lines'],
  ['libs/llm/src/vendors/planted/short.ts', lines(500)],
  ['apps/api/src/chat/long.module.ts', lines(41), 'max-lines'],
  ['apps/api/src/chat/function.ts', longFunction(81), 'max-lines-per-function'],
  ['apps/api/src/chat/function-short.ts', longFunction(80)],
  ['apps/api/src/chat/fat.controller.ts', controller(6), 'house/thin-controller'],
  ['apps/api/src/chat/thin.controller.ts', controller(5)],
];

interface FileResult {
  filePath: string;
  messages: { ruleId: string | null }[];
}

describe('the lint rules', () => {
  let found: Map<string, (string | null)[]>;

  beforeAll(() => {
    const folder = tempDir();
    for (const [path, text] of PLANTED) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    for (const name of ['tsconfig.json', 'package.json', 'eslint.config.mjs'])
      copyFileSync(join(root, name), join(folder, name));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const args = [join(root, 'node_modules/eslint/bin/eslint.js'), 'apps', 'libs', '--format', 'json'];
    const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
    if (!stdout) throw new Error(stderr);
    const results = JSON.parse(stdout) as FileResult[];
    found = new Map(
      results.map((file) => [relative(folder, file.filePath), file.messages.map(({ ruleId }) => ruleId)]),
    );
  }, 120_000);

  it.each(PLANTED.map(([path, , rule]) => ({ path, expected: rule ? [rule] : [] })))(
    'judge $path',
    ({ path, expected }) => {
      const budgets = /^(max-|no-restricted|house\/|@typescript-eslint\/no-(floating|misused))/;
      expect(found.get(path)?.filter((name) => budgets.test(name ?? ''))).toEqual(expected);
    },
  );
});
