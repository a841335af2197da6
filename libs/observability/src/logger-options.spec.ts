import { loadConfig } from '@scorpio/config';
import pino, { type DestinationStream, type LoggerOptions } from 'pino';
import { addLogContext, withLogContext } from './log-context';
import { scrubbed } from './log-stream';
import { loggerOptions } from './logger-options';

const SECRET = '4f9a1c7be2d8063571ca9e4bd20f8a6351e7cb90d4a2f618';
const PLANTED = {
  SECRET_KEY: SECRET,
  OPENAI_API_KEY: 'vendor+planted',
  MONGODB_URL: 'mongodb://me:store%2Bplanted@db.invalid/x',
  LLM_ENDPOINTS: '[{"name":"gate","baseUrl":"http://127.0.0.1:1","apiKey":"endpoint-planted"}]',
};

function logger(source: Record<string, string> = PLANTED): { log: pino.Logger; lines: string[] } {
  const lines: string[] = [];
  const sink = scrubbed({ write: (line) => void lines.push(line) });
  const { pinoHttp } = loggerOptions(loadConfig(source), sink);
  const [options, stream] = pinoHttp as [LoggerOptions, DestinationStream];
  return { log: pino(options, stream), lines };
}

describe('the log', () => {
  it('shows no secret, wherever it was planted', () => {
    const { log, lines } = logger();
    const error = new Error(`401 from vendor: key vendor+planted is wrong`, { cause: new Error(`secret ${SECRET}`) });
    log.error({ err: error }, 'A call failed.');
    log.info({ headers: { authorization: 'x-y-z', 'x-api-key': 'header-planted', cookie: 'cookie-planted' } });
    log.info({ request: { headers: { authorization: 'deep-planted' }, apiKey: 'field-planted' } });
    log.warn(`cannot reach ${PLANTED.MONGODB_URL} (store+planted) nor endpoint-planted`);
    const text = lines.join('');
    expect(lines).toHaveLength(4);
    expect(text).toContain('A call failed.');
    expect(text).not.toMatch(/planted|x-y-z/);
    expect(text).not.toContain(SECRET);
  });

  it('keeps each record on one line of visible characters, whatever a user wrote', () => {
    const { log, lines } = logger();
    log.info({ title: 'a\r\n{"level":60,"msg":"forged"}\u001b[2J\u009b2J\u2028\u202e' }, 'with\nbreaks');
    expect(lines).toHaveLength(1);
    const line = lines[0] ?? '';
    expect(line.endsWith('\n')).toBe(true);
    expect(line.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
    expect((JSON.parse(line) as { title: string }).title).toContain('forged');
  });

  it('puts the ids of the run at work on every line, nested and later ones too', async () => {
    const { log, lines } = logger();
    await withLogContext({ sessionId: 'ses_1' }, async () => {
      log.info({ runId: 'of this line alone' }, 'one');
      await withLogContext({ runId: 'run_1' }, async () => {
        await Promise.resolve();
        log.info('two');
      });
      log.info('three');
      addLogContext({ runId: 'run_2' });
      log.info('four');
    });
    log.info('five');
    const ids = lines.map((line) => JSON.parse(line) as { sessionId?: string; runId?: string });
    expect(ids.map(({ sessionId, runId }) => [sessionId, runId])).toEqual([
      ['ses_1', 'of this line alone'],
      ['ses_1', 'run_1'],
      ['ses_1', undefined],
      ['ses_1', 'run_2'],
      [undefined, undefined],
    ]);
  });

  it('lowers its level with DEBUG and obeys LOG_LEVEL', () => {
    expect(logger().log.level).toBe('info');
    expect(logger({ ...PLANTED, LOG_LEVEL: 'warn' }).log.level).toBe('warn');
    expect(logger({ ...PLANTED, LOG_LEVEL: 'warn', DEBUG: 'true' }).log.level).toBe('debug');
    expect(logger({ ...PLANTED, LOG_LEVEL: 'trace', DEBUG: 'true' }).log.level).toBe('trace');
  });
});
