import { randomBytes } from 'node:crypto';
import { SecretBox } from './secret-box';

describe('SecretBox', () => {
  const box = new SecretBox(randomBytes(32));

  it('opens what it sealed, in its place, and never seals twice alike', () => {
    const sealed = box.seal('a secret — ü', 'here');
    expect(box.open(sealed, 'here')).toBe('a secret — ü');
    expect(sealed).not.toContain('secret');
    expect(box.seal('a secret — ü', 'here')).not.toBe(sealed);
  });

  it('opens it nowhere else, with no other key, and not when a bit of it changed', () => {
    const sealed = box.seal('a secret', 'here');
    const [id, iv, text, tag] = sealed.split('.') as [string, string, string, string];
    const flipped = Buffer.from(text, 'base64url');
    flipped[0]! ^= 1;
    const changed = [id, iv, flipped.toString('base64url'), tag].join('.');
    for (const [other, place, by] of [
      [sealed, 'there', box],
      [sealed, 'here', new SecretBox(randomBytes(32))],
      [changed, 'here', box],
      ['', 'here', box],
      ['a.b', 'here', box],
    ] as const)
      expect(() => by.open(other, place)).toThrow(expect.objectContaining({ code: 'mcp_secrets_unreadable' }));
  });
});
