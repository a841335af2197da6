import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { Readiness } from '../../apps/api/src/health/readiness';
import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';

describe('health and documents', () => {
  let harness: AppHarness;
  let api: ApiClient;

  beforeAll(async () => {
    harness = await AppHarness.start({ AUTH_MODE: 'apikey', API_DOCS: 'true' });
    api = harness.api();
  });
  afterAll(() => harness.close());

  it('tells anyone how the product is, but not where it is [O2]', async () => {
    const { status, body, text } = await api.get('/health');
    expect(status).toBe(200);
    expect(body).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      checks: [
        {
          name: 'store',
          kind: harness.config.store.mongodbUrl ? 'mongodb' : 'embedded',
          status: 'ok',
          latencyMs: expect.any(Number),
        },
        ...(harness.config.store.mongodbUrl
          ? []
          : [{ name: 'disk', kind: 'file-system', status: 'ok', latencyMs: expect.any(Number) }]),
      ],
    });
    expect(text).not.toContain(harness.config.dataDir);
    expect((await api.get('/health/live')).body).toEqual({ status: 'ok' });
    expect((await api.get('/health/ready')).body).toEqual({ status: 'ok' });
  });

  it('serves its documents from this process alone', async () => {
    const { body } = await api.get('/api/openapi.json');
    expect(body.openapi).toBe('3.1.0');
    expect(body.components.schemas.RunEvent.discriminator.mapping['part.delta']).toBe('#/components/schemas/PartDelta');
    expect((await api.get('/api/docs')).text).toContain('swagger-ui');
    const redoc = await api.get('/api/redoc');
    expect(redoc.text).not.toMatch(/https?:\/\//);
    expect(redoc.headers.get('content-security-policy')).toContain('worker-src blob:');
    expect((await api.get('/api/docs')).headers.get('content-security-policy')).not.toContain('blob:');
    const script = await api.get('/api/redoc/redoc.standalone.js');
    expect([script.status, script.headers.get('content-type')]).toEqual([200, expect.stringContaining('javascript')]);
  });

  it('turns load balancers away while it drains, and without its store', async () => {
    harness.app.get(Readiness, { strict: false }).drain();
    const draining = await api.get('/health/ready');
    expect([draining.status, draining.body.code]).toEqual([503, 'shutting_down']);
    expect((await api.get('/health')).status).toBe(200);

    await harness.app.get<Connection>(getConnectionToken(), { strict: false }).close();
    const report = await api.get('/health');
    expect(report.status).toBe(503);
    expect(report.body).toMatchObject({
      status: 'error',
      checks: [{ name: 'store', status: 'error' }, ...report.body.checks.slice(1)],
    });
    expect(report.text).not.toMatch(/not open|message|stack/i);
    expect((await api.get('/health/live')).status).toBe(200);
  });
});
