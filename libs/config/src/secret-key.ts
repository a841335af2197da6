import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvError } from './env';

/**
 * The secret kept in `<dataDir>/secret.key` (mode 0600), made at the first call.
 * @throws EnvError where the folder cannot be read or written
 */
export function keepSecretKey(dataDir: string): string {
  const file = join(dataDir, 'secret.key');
  try {
    mkdirSync(dataDir, { recursive: true });
    try {
      // `wx` fails where the file is already there: of two first starts, one makes the key and both read it.
      writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new EnvError([
      `DATA_DIR: ${dataDir} cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
    ]);
  }
}
