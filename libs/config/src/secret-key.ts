import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EnvError } from './env';
import { makeFolder } from './make-folder';

/**
 * The secret kept in `<dataDir>/secret.key` (mode 0600), made at the first call.
 * @throws EnvError where the folder cannot be read or written, or the file holds no secret
 */
export function keepSecretKey(dataDir: string): string {
  const file = join(dataDir, 'secret.key');
  let key: string;
  try {
    makeFolder(dataDir);
    key = readIfThere(file) ?? makeKey(file);
  } catch (error) {
    throw new EnvError([
      `DATA_DIR: ${dataDir} cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unreadable'})`,
    ]);
  }
  if (key.length < 32)
    throw new EnvError([
      `DATA_DIR: ${file} holds no secret of 32 characters; restore it, or delete it to make a new one`,
    ]);
  return key;
}

/** A link to a finished file appears whole or not at all: of two first starts one wins, and a kill leaves no empty key. */
function makeKey(file: string): string {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  try {
    linkSync(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(draft);
  }
  return readFileSync(file, 'utf8').trim();
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
