import type { JsonObject } from '@scorpio/kernel';
import { checkJson } from './json-check';

const TOO_MUCH = { field: '', message: 'cannot be checked: the schema asks for too much work' };
const object = (properties: object, more: object = {}): Record<string, unknown> => ({
  type: 'object',
  properties,
  ...more,
});

/** 2^n visits of the innermost value. */
const nested = (depth: number): JsonObject => {
  let value: JsonObject = {};
  for (let n = 0; n < depth; n += 1) value = { a: value };
  return value;
};

describe('checkJson', () => {
  it.each([
    [{ a: 1 }, undefined],
    [{ a: 'x' }, { field: 'a', message: 'must be number' }],
    [{}, { field: 'a', message: 'is required' }],
    [
      { a: 1, b: 1 },
      { field: 'b', message: 'should not exist' },
    ],
    [
      { a: 1, c: ['x', 'z'] },
      { field: 'c[1]', message: 'must be one of ["x","y"]' },
    ],
  ])('finds what is wrong with %j', (value, fault) => {
    const schema = object(
      { a: { type: 'number' }, c: { items: { enum: ['x', 'y'] } } },
      { required: ['a'], additionalProperties: false },
    );
    expect(checkJson(schema, value)).toEqual(fault);
    expect(checkJson(schema, value, true)).toEqual(fault);
  });

  it('heeds patterns, formats and references, those of the whole to itself too', () => {
    const schema = object({ day: { format: 'date' }, id: { pattern: '^\\p{Lu}+$' }, child: { $ref: '#' } });
    expect(checkJson(schema, { day: '2026-02-28', id: 'ÄB', child: { child: { id: 'X' } } })).toBeUndefined();
    expect(checkJson(schema, { child: { day: '2026-02-30' } })).toMatchObject({ field: 'child.day' });
    expect(checkJson(schema, { child: { child: { id: 'x' } } })).toMatchObject({ field: 'child.child.id' });
  });

  it('reads every schema as 2020-12, and keeps the names that one gives from all others', () => {
    const named = (type: string): Record<string, unknown> => ({
      $schema: 'http://json-schema.org/draft-04/schema#',
      $id: 'https://example.com/tool',
      ...object({ a: { $ref: 'https://example.com/a' } }, { $defs: { a: { $id: 'https://example.com/a', type } } }),
    });
    expect(checkJson(named('string'), { a: 'x' })).toBeUndefined();
    expect(checkJson(named('number'), { a: 'x' })).toEqual({ field: 'a', message: 'must be number' });
    expect(checkJson(object({ a: { $ref: 'https://example.com/a' } }), { a: 'x' })).toMatchObject({
      message: expect.stringContaining('the schema is broken'),
    });
  });

  it.each([
    ['a type there is not', object({ a: { type: 'strange' } })],
    ['a pattern that is none', object({ a: { pattern: '(' } })],
    ['a circle', { $ref: '#' }],
    ['what asks for a promise', { ...object({}, { required: ['a'] }), $async: true }],
    ['a part that asks for a promise', { $ref: '#/$defs/a', $defs: { a: { $async: true, required: ['a'] } } }],
  ])('lets nothing pass by %s', (_name, schema) => {
    expect(checkJson(schema, { a: 'x', b: 1 }) ?? checkJson(schema, {})).toMatchObject({ field: expect.any(String) });
  });

  it.each([
    ['a pattern that backtracks', object({ a: { pattern: '^(a+)+$' } }), { a: `${'a'.repeat(34)}!` }],
    ['a pattern of names', object({}, { patternProperties: { '^(a|a)*$': {} } }), { [`${'a'.repeat(34)}!`]: 1 }],
    ['references that branch', object({ a: { allOf: [{ $ref: '#' }, { $ref: '#' }] } }), nested(28)],
  ])('stops at %s, and after three times does not begin', (_name, schema, value) => {
    for (let n = 0; n < 3; n += 1) expect(checkJson(structuredClone(schema), value)).toEqual(TOO_MUCH);
    // What would have been no work at all.
    expect(checkJson(structuredClone(schema), { a: {} })).toEqual(TOO_MUCH);
    expect(checkJson(object({ a: { pattern: '^a+$' } }), { a: 'aa' })).toBeUndefined();
  });
});
