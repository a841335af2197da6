import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { newApiKey } from '../../apps/api/src/auth/keys/api-key-text';
import { ApiClient, type ApiAnswer } from '../support/api-client';
import { ChatClient } from '../support/chat-client';
import { FakeLlm } from '../support/fake-llm';
import { ServerProcess } from '../support/server-process';
import { SseReader } from '../support/sse-reader';

const random = (name: string): string => `${name}-${newApiKey().secret}`;
/** Every secret that the server is given, by where it comes from. */
const planted = {
  SECRET_KEY: random('sealing'),
  OPENAI_API_KEY: random('sk-vendor'),
  ANTHROPIC_API_KEY: random('anthropic'),
  GEMINI_API_KEY: random('gemini'),
  endpointKey: random('endpoint'),
  apiKey: newApiKey().text,
  wrongKey: newApiKey().text,
  inQuery: random('query'),
  inBrokenBody: random('broken'),
  inHeader: random('header'),
  cookie: random('cookie'),
};

describe('secrets', () => {
  // The fake takes neither key, and repeats the one it was sent in its refusal, as the real one does.
  const fake = new FakeLlm({ apiKey: 'another' });
  let server: ServerProcess;
  let api: ApiClient;
  /** All that was answered to anyone, headers included. */
  const answered: string[] = [];
  let streamToken: string;

  const noted = async (asked: Promise<ApiAnswer<any>>): Promise<ApiAnswer<any>> => {
    const answer = await asked;
    answered.push(answer.text, JSON.stringify([...answer.headers]));
    return answer;
  };

  beforeAll(async () => {
    await fake.start();
    const { SECRET_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY, endpointKey, apiKey } = planted;
    server = await ServerProcess.start({
      ...{ SECRET_KEY, OPENAI_API_KEY, OPENAI_BASE_URL: fake.url, BOOTSTRAP_API_KEY: apiKey, AUTH_MODE: 'apikey' },
      ...{ ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: fake.origin, GEMINI_API_KEY, GEMINI_BASE_URL: fake.origin },
      LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: fake.url, apiKey: endpointKey, models: ['m'] }]),
      ...{ LLM_MAX_ATTEMPTS: '1', LOG_LEVEL: 'trace', DEBUG: 'true' },
    });
    api = new ApiClient(server.url, { authorization: `Bearer ${apiKey}` });
  });
  afterAll(async () => {
    await server?.close();
    await fake.close();
  });

  it('are used, and put in every place where they could slip out', async () => {
    const chat = new ChatClient(api);
    const sessionId = await chat.newSession();
    for (const model of ['fake/m', 'openai/gpt-5-mini', 'anthropic/claude-opus-5-5', 'google/gemini-4-hydrogen']) {
      const { body } = await noted(chat.send(sessionId, { message: 'hi', model }));
      expect(body.run.error).toMatchObject({ code: 'provider_auth' });
      const events = await noted(api.get(`/api/v1/runs/${body.run.id}/events?format=json`));
      expect(events.body.items.at(-1)).toMatchObject({ type: 'run.failed' });
      const stream = await new SseReader(server.url, api.headers).follow(body.run.id as string);
      answered.push(...stream.events.map(({ data }) => data));
    }
    expect(fake.requests).toHaveLength(0);
    const { wrongKey, inQuery, inBrokenBody, inHeader, cookie } = planted;
    const headers = { 'x-api-key': inHeader, cookie: `session=${cookie}`, 'proxy-authorization': inHeader };
    const { body } = await noted(api.post(`/api/v1/chat/sse`, `{"apiKey": "${inBrokenBody}", oops`, headers));
    expect(body.code).toBe('malformed_json');
    const nobody = new ApiClient(server.url);
    const wrong = await noted(nobody.get('/api/v1/sessions', { authorization: `Bearer ${wrongKey}` }));
    expect(wrong.status).toBe(401);
    for (const name of ['api_key', 'token', 'access_token'])
      await noted(nobody.get(`/api/v1/sessions?${name}=${inQuery}`));
    await noted(api.get('/api/v1/models'));
    await noted(api.get('/api/v1/keys'));
    await noted(nobody.get('/health'));
    await noted(nobody.get('/api/openapi.json'));
    const [{ id }] = await api.all(`/api/v1/sessions/${sessionId}/runs`);
    streamToken = (await api.post(`/api/v1/runs/${id}/stream-token`)).body.token;
    expect((await noted(nobody.get(`/api/v1/runs/${id}/events?format=json&token=${streamToken}`))).status).toBe(200);
  });

  it('[P8] are in no answer, no event and no line of the log, however much is logged', async () => {
    await server.close();
    expect(server.output).toContain('/api/v1/chat/');
    const logged = server.output;
    for (const [name, secret] of Object.entries({ ...planted, streamToken })) {
      // A part would do for a guess: what follows the readable prefix counts.
      const core = secret.slice(-24);
      expect({ name, answered: answered.filter((text) => text.includes(core)) }).toEqual({ name, answered: [] });
      expect({ name, logged: logged.split('\n').filter((line) => line.includes(core)) }).toEqual({ name, logged: [] });
    }
  });

  it('[P8] are in no file of the store', () => {
    const folder = join(server.dataDir, 'data');
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile());
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const text = readFileSync(join(file.parentPath, file.name), 'latin1');
      for (const [name, secret] of Object.entries(planted))
        expect({ name, file: file.name, found: text.includes(secret.slice(-24)) }).toMatchObject({ found: false });
    }
  });
});
