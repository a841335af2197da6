import { enableCompileCache } from 'node:module';
// Before the server is loaded: what is compiled then is kept for the next start.
enableCompileCache();

import { existsSync } from 'node:fs';
import { bootFault, serve } from './boot/serve';

async function main(): Promise<void> {
  // Variables that are already set win over the file's.
  if (existsSync('.env')) process.loadEnvFile('.env');
  await serve(process.env);
}

main().catch((error: unknown) => {
  process.stderr.write(`${bootFault(error)}\n`);
  process.exit(1);
});
