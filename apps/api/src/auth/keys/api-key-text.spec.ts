import { createSecretKey, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { hashSecret, matchesHash, newApiKey, readApiKey } from './api-key-text';

describe('the text of an API key', () => {
  it('has the published form and reads back as what it was made of', () => {
    const { text, keyId, secret } = newApiKey();
    expect(text).toMatch(/^sco_[0-9A-HJKMNP-TV-Z]{26}_[0-9A-Za-z]{49}$/);
    expect(readApiKey(text)).toEqual({ keyId, secret });
    expect(keyId).toMatch(/^key_/);
  });

  it('is refused when any one character is mistyped', () => {
    const { text } = newApiKey();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.constantFrom(...'aZ3_ é'), (at, letter) => {
        const typo = text.slice(0, at) + letter + text.slice(at + 1);
        return typo === text || readApiKey(typo) === undefined;
      }),
    );
  });

  it.each(['', 'sco_', 'Bearer', 'a.b.c', '__proto__', 'sco_x_y'])('is refused when it is %p', (text) =>
    expect(readApiKey(text)).toBeUndefined(),
  );

  it('is refused with something before or after it, a line break included', () => {
    const { text } = newApiKey();
    for (const other of [`${text}\n`, ` ${text}`, `${text}x`, text + text]) expect(readApiKey(other)).toBeUndefined();
  });

  it('never comes twice', () => {
    const made = Array.from({ length: 200 }, () => newApiKey());
    expect(new Set(made.map(({ secret }) => secret)).size).toBe(200);
    expect(new Set(made.map(({ keyId }) => keyId)).size).toBe(200);
  });
});

describe('the stored hash of a key', () => {
  const pepper = createSecretKey(randomBytes(32));
  const { secret } = newApiKey();

  it('recognises its secret and no other', () => {
    const hash = hashSecret(pepper, secret);
    expect(matchesHash(pepper, secret, hash)).toBe(true);
    expect(matchesHash(pepper, newApiKey().secret, hash)).toBe(false);
  });

  it('is worth nothing without the pepper, and does not hold the secret', () => {
    const hash = hashSecret(pepper, secret);
    expect(matchesHash(createSecretKey(randomBytes(32)), secret, hash)).toBe(false);
    expect(hash).not.toContain(secret);
  });
});
