import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';

const script = resolve(__dirname, '../../scripts/gen.mjs');

describe('the generated files', () => {
  // openapi.json, the generated half of libs/sdk, .env.example and the tables of README.md and docs/events.md, compared with what the built product says of itself.
  it('are what npm run gen would write', () => {
    const { status, stdout } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  }, 120_000);
});
