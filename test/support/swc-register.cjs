// Lets a plain `node --require test/support/swc-register.cjs script.ts` run TypeScript of this repository, with its
// decorators and its @scorpio paths, compiled as jest compiles it. For the processes that tests start and kill.
const { existsSync, readFileSync } = require('node:fs');
const Module = require('node:module');
const { resolve } = require('node:path');
const { transformSync } = require('@swc/core');

const root = resolve(__dirname, '../..');
const [, options] = require(resolve(root, 'jest.config.cjs')).projects[0].transform['^.+\\.ts$'];

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), { ...options, filename, swcrc: false });
  module._compile(code, filename);
};

const resolveFilename = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  const [, lib, door] = /^@scorpio\/([^/]+)(?:\/([^/]+))?$/.exec(request) ?? [];
  if (!lib) return resolveFilename.call(this, request, ...rest);
  const source = resolve(root, 'libs', lib, 'src');
  const files = door
    ? [resolve(source, `${door}.ts`), resolve(source, door, 'index.ts')]
    : [resolve(source, 'index.ts')];
  return files.find(existsSync) ?? resolveFilename.call(this, request, ...rest);
};
