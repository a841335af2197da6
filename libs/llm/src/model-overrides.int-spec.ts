import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EnvError } from '@scorpio/config';
import type { LlmModelInfo } from './contract';
import { readModelOverrides } from './model-overrides';

const folder = mkdtempSync(join(tmpdir(), 'scorpio-models-'));
const file = join(folder, 'models.json');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function faultsOf(text: string | undefined): string[] {
  if (text !== undefined) writeFileSync(file, text);
  try {
    readModelOverrides(text === undefined ? join(folder, 'absent.json') : file, ['openai', 'local']);
  } catch (error) {
    if (error instanceof EnvError) return error.faults;
    throw error;
  }
  return [];
}
const model = { id: 'm', name: 'm', capabilities: {} } as LlmModelInfo;

describe('readModelOverrides', () => {
  it('takes no file for no overrides, and an empty one too', () => {
    expect(readModelOverrides(undefined, []).apply('local', model)).toEqual(model);
    expect(faultsOf('{}')).toEqual([]);
  });

  it('takes the price of input for what caches cost, where nothing else is said', () => {
    writeFileSync(
      file,
      JSON.stringify({
        'local/*': { price: { input: 3, output: 5 } },
        'openai/m': { price: { input: 3, output: 5, cacheRead: 0, long: { above: 9, input: 2, output: 1.5 } } },
        'anthropic/m': { price: { input: 3, output: 5, cacheWrite1h: 6 } },
      }),
    );
    const overrides = readModelOverrides(file, ['openai', 'local', 'anthropic']);
    expect(overrides.apply('anthropic', model).price).toMatchObject({ cacheWrite: 3, cacheWrite1h: 6 });
    expect(overrides.apply('local', model).price).toEqual({ input: 3, output: 5, cacheRead: 3, cacheWrite: 3 });
    expect(overrides.apply('openai', model).price).toEqual({
      input: 3,
      output: 5,
      cacheRead: 0,
      cacheWrite: 3,
      long: { above: 9, input: 2, output: 1.5 },
    });
  });

  it('tells every fault, each with its place', () => {
    const faults = faultsOf(
      JSON.stringify({
        'openai/a': { price: { input: '3', output: -1, inptu: 2 } },
        'opnai/b': { contextWindow: 0.5 },
        'local/*x': {},
        plain: { capabilities: { images: 'no' } },
      }),
    );
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'MODELS_FILE (openai/a.price.input)',
      'MODELS_FILE (openai/a.price.output)',
      'MODELS_FILE (openai/a.price)',
      'MODELS_FILE (opnai/b)',
      'MODELS_FILE (opnai/b.contextWindow)',
      'MODELS_FILE (local/*x)',
      'MODELS_FILE (plain)',
      'MODELS_FILE (plain.capabilities.images)',
    ]);
    expect(faults[2]).toContain('inptu');
    expect(faults[3]).toContain('openai, local');
  });

  it.each([
    [undefined, /^MODELS_FILE: .*absent\.json cannot be read \(ENOENT\)$/],
    ['{"openai/a":', /^MODELS_FILE: .*models\.json is not JSON/],
    ['[]', /^MODELS_FILE: .*must hold an object/],
    ['null', /^MODELS_FILE: .*must hold an object/],
  ])('says in one line what is wrong with a file that is no such thing: %j', (text, fault) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(fault)]);
  });
});
