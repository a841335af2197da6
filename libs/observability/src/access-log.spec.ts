import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { loadConfig } from '@scorpio/config';
import { PinoLogger } from 'nestjs-pino';
import { accessLog } from './access-log';
import { addLogContext, withLogContext } from './log-context';
import { loggerOptions } from './logger-options';

const lines: string[] = [];
const config = loadConfig({ SECRET_KEY: '4f9a1c7be2d8063571ca9e4bd20f8a6351e7cb90d4a2f618' });
new PinoLogger(loggerOptions(config, { write: (line) => void lines.push(line) }));

/** The line of a request that was answered like this, if there is one. */
function lineOf(url: string, answer: { statusCode?: number; type?: string; cut?: boolean } = {}): object | undefined {
  lines.length = 0;
  const request = { method: 'GET', url, socket: { remoteAddress: '127.0.0.1' } };
  const { statusCode = 200, type = 'application/json', cut = false } = answer;
  const response = Object.assign(new EventEmitter(), { statusCode, writableFinished: !cut, getHeader: () => type });
  withLogContext({ requestId: 'req_1' }, () =>
    accessLog(request as IncomingMessage, response as unknown as ServerResponse, () =>
      addLogContext({ sessionId: 'ses_1' }),
    ),
  );
  expect(lines).toEqual([]);
  response.emit('close');
  return lines[0] === undefined ? undefined : (JSON.parse(lines[0]) as object);
}

describe('the line of a request', () => {
  it('tells what was asked, by whom, how it ended and what it was about, without the query', () => {
    expect(lineOf('/api/v1/sessions?token=planted')).toEqual({
      level: 30,
      time: expect.any(Number),
      requestId: 'req_1',
      sessionId: 'ses_1',
      method: 'GET',
      url: '/api/v1/sessions',
      remoteAddress: '127.0.0.1',
      statusCode: 200,
      responseTime: expect.any(Number),
      msg: 'request completed',
    });
  });

  it('is an error where the server failed, and says when the client left', () => {
    expect(lineOf('/x', { statusCode: 503 })).toMatchObject({ level: 50, statusCode: 503 });
    expect(lineOf('/x', { cut: true })).toMatchObject({ level: 30, msg: 'request aborted' });
  });

  it('is kept back for streams and health checks', () => {
    expect(lineOf('/x', { type: 'text/event-stream; charset=utf-8' })).toBeUndefined();
    expect(lineOf('/health/live')).toBeUndefined();
  });
});
