import { loadConfig } from './app-config';
import { EnvError } from './env';

const SECRET = '4f9a1c7be2d8063571ca9e4bd20f8a6351e7cb90d4a2f618';
const STRONG = { SECRET_KEY: SECRET };

function faultsOf(source: Record<string, string>): string[] {
  try {
    loadConfig(source);
  } catch (error) {
    if (error instanceof EnvError) return error.faults;
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('needs nothing but a place for its secret, and takes the documented defaults', () => {
    const config = loadConfig(STRONG);
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 8000,
      debug: false,
      loopback: true,
      bodyLimit: 20_971_520,
      importLimit: 104_857_600,
    });
    expect(config.cors).toEqual({ origins: ['http://localhost:5173'], credentials: false });
    expect(config.apiDocs).toBe(true);
  });

  it('counts an empty value as unset, so that a copied .env.example starts', () => {
    expect(loadConfig({ ...STRONG, PORT: '', MONGODB_URL: ' ', AUTH_MODE: '' }).port).toBe(8000);
  });

  it('reads named endpoints', () => {
    const text = '[{"name":"ollama","baseUrl":"http://127.0.0.1:11434/v1","models":["qwen"]}]';
    expect(loadConfig({ ...STRONG, LLM_ENDPOINTS: text }).llm.endpoints).toEqual([
      { name: 'ollama', baseUrl: 'http://127.0.0.1:11434/v1', api: 'chat', models: ['qwen'] },
    ]);
  });

  it('tells all faults at once, each with its variable', () => {
    const faults = faultsOf({
      NODE_ENV: 'production',
      PORT: '99999',
      MONGODB_URL: 'ftp://x',
      RUN_LEASE_MS: '10s',
      DEBUG: 'yes',
      AUTH_MODE: 'magic',
    });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual([
      'PORT',
      'DEBUG',
      'MONGODB_URL',
      'RUN_LEASE_MS',
      'AUTH_MODE',
      'SECRET_KEY',
    ]);
  });

  it('never repeats the value of a secret', () => {
    const planted = 'planted-value-17';
    const text = faultsOf({
      SECRET_KEY: planted,
      MONGODB_URL: `ftp://me:${planted}@db`,
      REDIS_URL: planted,
      LLM_ENDPOINTS: `[{"name":"x","baseUrl":"http://a","apiKey":"${planted}","nope":1}`,
      OPENAI_BASE_URL: planted,
    }).join('\n');
    expect(text).toContain('MONGODB_URL');
    expect(text).not.toContain(planted);
  });

  it.each([
    ['a hop count', '2', true],
    ['addresses and networks', '10.0.0.1, 192.168.0.0/16, loopback, ::1/128', true],
    ['any caller', 'true', false],
    ['a name', 'proxy.internal', false],
    ['an impossible network', '10.0.0.0/33', false],
  ])('as TRUST_PROXY takes or refuses %s', (_name, text, isGood) => {
    expect(faultsOf({ ...STRONG, TRUST_PROXY: text }).length === 0).toBe(isGood);
  });
});

describe('access', () => {
  it('is open on loopback in development and by key anywhere else', () => {
    const modes = (source: Record<string, string>): string[] => loadConfig({ ...STRONG, ...source }).auth.modes;
    expect(modes({})).toEqual(['none']);
    expect(modes({ HOST: 'localhost' })).toEqual(['none']);
    expect(modes({ HOST: '0.0.0.0' })).toEqual(['apikey']);
    expect(modes({ NODE_ENV: 'production' })).toEqual(['apikey']);
  });

  it.each([
    [{ AUTH_MODE: 'none', HOST: '0.0.0.0' }, /AUTH_MODE: none with HOST/],
    [{ AUTH_MODE: 'none,apikey' }, /stands alone/],
    [{ AUTH_MODE: 'magic' }, /not magic/],
    [{ AUTH_MODE: 'oidc' }, /OIDC_ISSUER and OIDC_AUDIENCE/],
    [{ CORS_ORIGINS: '*', CORS_CREDENTIALS: 'true' }, /CORS_ORIGINS/],
  ])('refuses %j', (source, fault) => {
    expect(faultsOf({ ...STRONG, ...source })).toEqual([expect.stringMatching(fault)]);
  });

  it('lets an operator insist on an open address outside production', () => {
    const open = { ...STRONG, AUTH_MODE: 'none', HOST: '0.0.0.0', ALLOW_INSECURE_NO_AUTH: 'true' };
    expect(loadConfig(open).auth.modes).toEqual(['none']);
    expect(faultsOf({ ...open, NODE_ENV: 'production' })).toHaveLength(1);
  });
});

describe('production', () => {
  const production = (source: Record<string, string>): string[] => faultsOf({ NODE_ENV: 'production', ...source });

  it('starts with a strong secret', () => {
    expect(production(STRONG)).toEqual([]);
  });

  it.each([
    ['no secret', {}, /SECRET_KEY: must be set/],
    ['a short secret', { SECRET_KEY: 'a8f3' }, /32 characters/],
    ['a sample secret', { SECRET_KEY: 'change-me-change-me-change-me-change-me' }, /sample/],
    ['a secret of few letters', { SECRET_KEY: 'abababababababababababababababababab' }, /sample/],
    ['DEBUG', { ...STRONG, DEBUG: 'true' }, /DEBUG/],
    ['no authentication', { ...STRONG, AUTH_MODE: 'none' }, /AUTH_MODE/],
    ['any origin with credentials', { ...STRONG, CORS_ORIGINS: '*', CORS_CREDENTIALS: 'true' }, /CORS_ORIGINS/],
  ])('refuses %s', (_name, source, fault) => {
    expect(production(source)).toEqual(expect.arrayContaining([expect.stringMatching(fault)]));
  });

  it('does not serve the documents unless told to', () => {
    expect(loadConfig({ NODE_ENV: 'production', ...STRONG }).apiDocs).toBe(false);
    expect(loadConfig({ NODE_ENV: 'production', ...STRONG, API_DOCS: 'true' }).apiDocs).toBe(true);
  });
});
