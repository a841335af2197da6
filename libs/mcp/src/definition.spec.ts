import { definitions } from './definition';

const tool = (more: object) => ({ name: 'read', inputSchema: { type: 'object' as const }, ...more });
const one = (more: object) => definitions([tool(more)]).found[0];

describe('definitions', () => {
  it.each([
    ['tags', '\u{e0049}\u{e0067}'],
    ['zero width', '\u200b\u2060\ufeff'],
    ['directions', '\u202e\u2066'],
    ['variation selectors', '\u{e0100}\u{e01ef}'],
    ['controls', '\u001b[8m\u0000'],
  ])('strips %s, and says so', (_name, hidden) => {
    const { description, flags } = one({ description: `Reads${hidden} a file.\n\tOr two.` });
    expect(description.replace('[8m', '')).toBe('Reads a file.\n\tOr two.');
    expect(flags).toEqual(['hidden_characters']);
  });

  it('strips them from the descriptions within the schema, and leaves what is compared', () => {
    const properties = { mode: { description: 'How\u200b', enum: ['a\u200b'] } };
    expect(one({ inputSchema: { type: 'object', properties } })).toMatchObject({
      inputSchema: { properties: { mode: { description: 'How', enum: ['a\u200b'] } } },
      flags: ['hidden_characters'],
    });
  });

  it('bounds a description', () => {
    const { description, flags } = one({ description: 'x'.repeat(10_000) });
    expect(description).toHaveLength(4_000);
    expect(flags).toEqual(['description_cut']);
  });

  it('has another hash for any change, seen or not, and the same whatever the order', () => {
    const base = one({ description: 'Reads.', annotations: { readOnlyHint: true, title: 'a' } }).hash;
    expect(one({ annotations: { title: 'a', readOnlyHint: true }, description: 'Reads.' }).hash).toBe(base);
    const others = [
      one({ description: 'Reads.\u200b', annotations: { readOnlyHint: true, title: 'a' } }),
      one({ description: 'Reads.', annotations: { readOnlyHint: false, title: 'a' } }),
      one({
        description: 'Reads.',
        annotations: { readOnlyHint: true, title: 'a' },
        inputSchema: { type: 'object', required: ['a'] },
      }),
      one({ description: 'Reads.', annotations: { readOnlyHint: true, title: 'a' }, outputSchema: { type: 'object' } }),
    ];
    expect(others.map(({ hash }) => hash)).not.toContain(base);
  });

  it('leaves out the second of a name and what is too large', () => {
    const huge = tool({ name: 'huge', inputSchema: { type: 'object', description: 'x'.repeat(200_000) } });
    const { found, leftOut } = definitions([tool({}), tool({ description: 'another' }), huge]);
    expect({ names: found.map(({ tool: name }) => name), leftOut }).toEqual({ names: ['read'], leftOut: 2 });
  });
});
