import { isAllowedHost } from './allowed-host';

describe('isAllowedHost', () => {
  it.each([
    'localhost',
    'localhost:8000',
    'LOCALHOST',
    '127.0.0.1:8000',
    '127.9.9.9',
    '[::1]',
    '[::1]:8000',
    'box.lan:80',
  ])('answers %s', (host) => expect(isAllowedHost(host, ['Box.lan'])).toBe(true));

  it.each([
    undefined,
    '',
    'attacker.example',
    'attacker.example:8000',
    'localhost.attacker.example',
    '127.0.0.1.attacker.example',
    'evil-localhost',
    'localhost:8000@attacker.example',
    'localhost, attacker.example',
    '[::1].attacker.example',
    '[::2]',
    '::1',
    '0.0.0.0',
    'a.box.lan',
  ])('refuses %s', (host) => expect(isAllowedHost(host, ['box.lan'])).toBe(false));
});
