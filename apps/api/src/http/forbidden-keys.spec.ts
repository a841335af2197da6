import { DomainError } from '@scorpio/kernel';
import { refuseForbiddenKeys } from './forbidden-keys';

function fieldOf(text: string): string | undefined {
  try {
    refuseForbiddenKeys(JSON.parse(text));
  } catch (error) {
    if (error instanceof DomainError) return error.details.field;
    throw error;
  }
  return undefined;
}

describe('refuseForbiddenKeys', () => {
  it.each([
    ['{"__proto__":{"polluted":1}}', '__proto__'],
    ['{"metadata":{"__proto__":{"polluted":1}}}', 'metadata.__proto__'],
    ['{"a":[{"b":1},{"constructor":{"prototype":{}}}]}', 'a[1].constructor'],
    ['{"sessionId":{"$ne":null}}', 'sessionId.$ne'],
    ['{"message":{"parts":[{"$where":"1"}]}}', 'message.parts[0].$where'],
    ['{"$set":{}}', '$set'],
  ])('refuses %s and names %s', (text, field) => {
    expect(fieldOf(text)).toBe(field);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('lets the words of JSON Schema through, and any text', () => {
    const schema = { $schema: 'x', $defs: { a: { type: 'string' } }, properties: { a: { $ref: '#/$defs/a' } } };
    expect(
      fieldOf(JSON.stringify({ responseFormat: { schema }, message: '__proto__ $ne constructor' })),
    ).toBeUndefined();
  });

  it('refuses what is nested too deeply, without recursion', () => {
    const deep = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels);
    expect(fieldOf(deep(50))).toBeUndefined();
    expect(fieldOf(deep(100_000))).toMatch(/^a\.a/);
  });
});
