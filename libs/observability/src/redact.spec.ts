import { redact, registerSecrets } from './redact';

describe('redact', () => {
  it.each([
    ['an API key of ours', 'key sco_01HZY3_9fJ2kLmN4pQr7sTuVwXyZaBcDeFg1234567890 was used'],
    ['a vendor key', 'Incorrect API key provided: sk-proj-abcdEFGH12345678_xyz.'],
    ['a bearer header', 'authorization: Bearer abc.def-ghi_jkl012345'],
    ['a basic header', 'Authorization: Basic dXNlcjpwYXNzd29yZA=='],
    ['a JWT', 'token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLXBhcnQ'],
    ['the password of a URL', 'cannot reach mongodb://scorpio:p4ss@db.internal/x'],
  ])('masks %s', (_name, text) => {
    const clean = redact(text);
    expect(clean).toContain('[redacted]');
    expect(clean).not.toMatch(/9fJ2|abcdEFGH|ghi_jkl|dXNlcj|eyJzdWIi|p4ss/);
  });

  it('leaves ordinary text alone', () => {
    const text = 'The task-force asked https://example.org/a:b?c=d about sk-1 and a bearer of news, at 12:30:45.';
    expect(redact(text)).toBe(text);
  });

  it('masks the values it was told of, in each form they are written in', () => {
    registerSecrets(['pläin+secret/value', 'quo"ted\\secret', undefined, 'abc']);
    expect(redact('pläin+secret/value')).toBe('[redacted]');
    expect(redact(JSON.stringify({ a: 'quo"ted\\secret' }))).toBe('{"a":"[redacted]"}');
    expect(redact(`https://x/?k=${encodeURIComponent('pläin+secret/value')}`)).toBe('https://x/?k=[redacted]');
    expect(redact('abc is too short to be worth it')).toBe('abc is too short to be worth it');
  });

  it('masks a long secret whole where a shorter one is part of it', () => {
    registerSecrets(['inner-part', 'outer-inner-part-end']);
    expect(redact('x outer-inner-part-end y')).toBe('x [redacted] y');
  });
});
