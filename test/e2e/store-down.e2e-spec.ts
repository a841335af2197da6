import type { Connection } from 'mongoose';
import { getConnectionToken } from '@nestjs/mongoose';
import { newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { AppHarness } from '../support/app-harness';
import { ChaosProxy } from '../support/chaos-proxy';
import { storeVariants } from '../support/stores';

const [, wire] = storeVariants();
const credentials = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

/** With a key that the server knows, one that it has never seen, and none: no answer may be a success. */
async function answers(server: AppHarness, known: string): Promise<number[]> {
  const statuses: number[] = [];
  for (const headers of [credentials(known), credentials(newApiKey().text), {}])
    for (const ask of [
      server.api(headers).get('/api/v1/sessions'),
      server.api(headers).post('/api/v1/chat/sse', { message: 'hi' }),
    ]) {
      const { status, body, text } = await ask;
      expect(body.code).toMatch(/^[a-z_]+$/);
      expect(text).not.toMatch(/mongo|sqlite|127\.0\.0\.1|\bat /i);
      statuses.push(status);
    }
  return statuses;
}

describe('[O3] without its store the server', () => {
  const key = newApiKey().text;
  const env = { AUTH_MODE: 'apikey', BOOTSTRAP_API_KEY: key };

  it('lets nobody in (embedded)', async () => {
    const server = await AppHarness.start(env);
    expect((await server.api(credentials(key)).get('/api/v1/sessions')).status).toBe(200);
    await server.app.get<Connection>(getConnectionToken(), { strict: false }).close();
    // In one process the store is gone only while the process ends: no status is promised, but none is a success.
    expect((await answers(server, key)).map((status) => Math.floor(status / 100))).toEqual([5, 5, 5, 5, 4, 4]);
    await server.close();
  });

  (wire.available ? it : it.skip)(
    'answers 503 in bounded time, lets nobody in, and recovers by itself (wire)',
    async () => {
      const direct = new URL(wire.env().MONGODB_URL);
      const proxy = await ChaosProxy.start({ host: direct.hostname, port: Number(direct.port) });
      const server = await AppHarness.start({
        ...env,
        MONGODB_URL: `mongodb://127.0.0.1:${proxy.port}${direct.pathname}?directConnection=true`,
      });
      const api = server.api(credentials(key));
      expect((await api.get('/api/v1/sessions')).status).toBe(200);

      proxy.faults = () => ({ up: { cutAfter: 0 } });
      proxy.cutAll();
      expect(await answers(server, key)).toEqual([503, 503, 503, 503, 401, 401]);

      proxy.faults = () => ({});
      const deadline = AbortSignal.timeout(20_000);
      while ((await api.get('/api/v1/sessions')).status !== 200) deadline.throwIfAborted();
      await server.close();
      await proxy.close();
    },
    90_000,
  );
});
