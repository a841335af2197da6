import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from './app-config';
import { EnvError } from './env';

describe('the secret of a first start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'scorpio-secret-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is made once, kept for its owner alone, and found again', () => {
    const dataDir = join(folder, 'new', 'data');
    const first = loadConfig({ DATA_DIR: dataDir }).secretKey;
    const file = join(dataDir, 'secret.key');
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(file, 'utf8')).toBe(first);
    expect(loadConfig({ DATA_DIR: dataDir }).secretKey).toBe(first);
    expect(loadConfig({ DATA_DIR: join(folder, 'other') }).secretKey).not.toBe(first);
  });

  it('is not made where one is given', () => {
    const dataDir = join(folder, 'given');
    loadConfig({ DATA_DIR: dataDir, SECRET_KEY: '4f9a1c7be2d8063571ca9e4bd20f8a6351e7cb90d4a2f618' });
    expect(() => statSync(dataDir)).toThrow();
  });

  it('names DATA_DIR where the folder cannot be used', () => {
    const file = join(folder, 'a-file');
    writeFileSync(file, '');
    expect(() => loadConfig({ DATA_DIR: file })).toThrow(EnvError);
    expect(() => loadConfig({ DATA_DIR: file })).toThrow(/DATA_DIR: .* cannot be used \(ENOTDIR\)/);
  });

  it('names DATA_DIR where no folder can be made', () => {
    expect(() => loadConfig({ DATA_DIR: '/proc/scorpio/data' })).toThrow(/DATA_DIR: .* cannot be used \(ENOENT\)/);
  });

  it('is not taken from a file that holds too little', () => {
    const dataDir = mkdtempSync(join(folder, 'short-'));
    writeFileSync(join(dataDir, 'secret.key'), 'abc\n');
    expect(() => loadConfig({ DATA_DIR: dataDir })).toThrow(/secret\.key/);
  });
});
