import { vendorError } from '../../wire/errors';
import { googleFault } from './google-error';

const error = (status: object) =>
  vendorError(googleFault(status), { name: 'google', setting: 'GEMINI_API_KEY', secrets: [] });

describe('googleFault', () => {
  it('knows a wrong key, although its status is 400', () => {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }];
    const wrong = error({ code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT', details });
    expect(wrong).toMatchObject({ kind: 'auth', status: 400, retryable: false });
    expect(wrong.message).toContain('GEMINI_API_KEY');
  });

  it('knows a prompt that is too long by its words alone', () => {
    const message = 'The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).';
    expect(error({ code: 400, message, status: 'INVALID_ARGUMENT' })).toMatchObject({ kind: 'context-overflow' });
  });

  it('waits as long as it is told to', () => {
    const details = [{ violations: [{ quotaId: 'GenerateRequestsPerMinutePerProject' }] }, { retryDelay: '36.5s' }];
    expect(error({ code: 429, message: 'quota', details })).toMatchObject({ kind: 'rate-limit', retryAfterMs: 36_500 });
  });

  it('does not wait for the quota of a day', () => {
    const details = [{ violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel' }] }, { retryDelay: '36s' }];
    expect(error({ code: 429, message: 'quota', details })).toMatchObject({ kind: 'auth', retryable: false });
  });

  it.each([{}, { details: 'none' }, { code: '400', message: 7, details: [null] }])('makes do with %j', (status) => {
    expect(error(status)).toMatchObject({ kind: 'unavailable' });
  });
});
