import fc from 'fast-check';
import type { LlmAssistantPart, LlmMessage, LlmNative, LlmToolResult, LlmUserPart } from './contract';
import { portableHistory, systemPrint, type HistoryTarget } from './portable-history';
import { anyHistory, anyMessage, type AnyNative } from './testing';

const TARGET: HistoryTarget = {
  vendor: 'openai',
  model: 'm',
  system: 'Be brief.',
  capabilities: { images: true, documents: true },
};
const portable = (messages: LlmMessage[], target: Partial<HistoryTarget> = {}) =>
  portableHistory(messages, { ...TARGET, ...target });

const text = (words: string) => ({ type: 'text' as const, text: words });
const user = (...content: LlmUserPart[]): LlmMessage => ({ role: 'user', content });
const said = (...content: LlmAssistantPart[]): LlmMessage => ({ role: 'assistant', content });
const told = (...content: LlmToolResult[]): LlmMessage => ({ role: 'tool', content });
const hi = user(text('hi'));
const call = (callId: string, name = 'look'): LlmAssistantPart => ({
  ...{ type: 'tool_call', callId, name, arguments: { at: callId } },
});
const result = (callId: string, output = `seen ${callId}`): LlmToolResult => ({
  ...{ callId, name: 'look', output, isError: false },
});
const lost = (callId: string) => ({
  ...{ callId, name: 'look', output: 'The call was not carried out.', isError: true },
});
const own = (data: unknown): LlmNative => ({
  ...{ vendor: 'openai', model: 'm', system: systemPrint('Be brief.'), data },
});
const image: LlmUserPart = { type: 'image', mediaType: 'image/png', data: { bytes: new Uint8Array([1]) } };
const file: LlmUserPart = { type: 'file', mediaType: 'application/pdf', name: 'a.pdf', data: { url: 'https://a' } };

describe('a stored history in the form that every vendor takes', () => {
  it('is left as it is where it is in form, down to the objects of its parts', () => {
    const thought: LlmAssistantPart = { type: 'reasoning', text: 'hm', native: own({ signature: 'a+/=' }) };
    const history = [user(text('look'), image, file), said(thought, call('a')), told(result('a')), hi];
    const out = portable(history);
    expect(out).toEqual(history);
    out.forEach(({ content }, at) => content.forEach((part, i) => expect(part).toBe(history[at].content[i])));
  });

  it('begins with something a user said, and ends with something to answer', () => {
    const opening = user(text('[The conversation begins here.]'));
    expect(portable([])).toEqual([opening]);
    expect(portable([told(result('x'))])).toEqual([opening]);
    expect(portable([said(text('yes'))])).toEqual([opening, said(text('yes')), user(text('Continue.'))]);
  });

  it('takes turns: neighbours of one role become one', () => {
    const history = [hi, user(text('you')), said(text('a')), said(text('b')), hi];
    expect(portable(history)).toEqual([user(text('hi'), text('you')), said(text('a'), text('b')), hi]);
  });

  it('gives each call its result, in the order of the calls, at once after them', () => {
    expect(portable([hi, said(call('a'), call('b')), told(result('b')), told(result('a'))])).toEqual([
      ...[hi, said(call('a'), call('b')), told(result('a'), result('b'))],
    ]);
  });

  it.each<[string, LlmMessage[]]>([
    ['a new message comes first', [hi]],
    ['the answer goes on', [said(text('so'))]],
    ['the result comes later', [hi, told(result('b'))]],
    ['results of other calls come', [told(result('x'), result('y'))]],
  ])('makes up a result that is missing: %s', (_how, rest) => {
    const out = portable([hi, said(call('a'), call('b')), told(result('a')), ...rest]);
    expect(out.slice(0, 3)).toEqual([hi, said(call('a'), call('b')), told(result('a'), lost('b'))]);
    expect(out.slice(3).filter(({ role }) => role === 'tool')).toEqual([]);
  });

  it('drops a result that comes twice, and keeps the first', () => {
    expect(portable([hi, said(call('a')), told(result('a', '1'), result('a', '2')), told(result('a', '3'))])).toEqual([
      ...[hi, said(call('a')), told(result('a', '1'))],
    ]);
  });

  it('tells calls of one id apart, by their place', () => {
    const step = [said(call('0'), call('0')), told(result('0', 'x'), result('0', 'y'))];
    const renamed = (id: string): LlmAssistantPart => ({ ...call('0'), callId: id }) as LlmAssistantPart;
    expect(portable([hi, ...step, ...step])).toEqual([
      hi,
      said(call('0'), renamed('call_1')),
      told(result('0', 'x'), result('call_1', 'y')),
      said(renamed('call_2'), renamed('call_3')),
      told(result('call_2', 'x'), result('call_3', 'y')),
    ]);
  });

  it.each(['functions.look:0', 'a b', 'x'.repeat(65), '', 'call|fc'])('renames the call id %j', (id) => {
    const [, asked, answered] = portable([hi, said(call('call_1'), call(id)), told(result('call_1'), result(id))]);
    expect(asked.content[1]).toMatchObject({ callId: 'call_2' });
    expect(answered.content[1]).toEqual({ ...result(id), callId: 'call_2' });
  });

  it.each([
    ['files.read', 'files_read'],
    ['2nd', '_2nd'],
    ['', '_'],
    ['größe', 'gr__e'],
    ['n'.repeat(70), 'n'.repeat(64)],
  ])('writes the name of the tool %j in letters that all take', (name, known) => {
    const [, asked, answered] = portable([hi, said(call('a', name)), told({ ...result('a'), name })]);
    expect([asked.content[0], answered.content[0]]).toMatchObject([{ name: known }, { name: known }]);
  });

  it("keeps a vendor's own form of a renamed call, unless it speaks of the old name", () => {
    const step = (data: unknown) => portable([hi, said({ ...call('a.1'), native: own(data) } as LlmAssistantPart)])[1];
    expect(step({ signature: 'sig' }).content[0]).toMatchObject({
      callId: 'call_0',
      native: own({ signature: 'sig' }),
    });
    expect(step({ part: [{ id: 'a.1' }] }).content[0]).not.toHaveProperty('native');
  });

  it.each<[string, Partial<HistoryTarget>]>([
    ['vendor', { vendor: 'anthropic' }],
    ['model', { model: 'm2' }],
    ['system prompt', { system: 'Be long.' }],
    ['system prompt, or none', { system: undefined }],
  ])('keeps what a vendor said of its parts from another %s, and the reasoning too', (_what, target) => {
    const native = own({ id: 'x' });
    const parts = [text('so'), call('a')] as LlmAssistantPart[];
    const history = [
      hi,
      said({ type: 'reasoning', text: 'hm', native }, ...parts.map((part) => ({ ...part, native }))),
      told(result('a')),
    ];
    expect(portable(history, target)).toEqual([hi, said(...parts), told(result('a'))]);
    expect(portable(history)).toEqual(history);
  });

  it('leaves reasoning out that nothing comes after, and answers that say nothing', () => {
    const thought: LlmAssistantPart = { type: 'reasoning', text: 'hm', native: own({}) };
    const blank: LlmAssistantPart = { type: 'text', text: '', native: own({ signature: 's' }) };
    expect(portable([hi, said(thought), hi])).toEqual([user(text('hi'), text('hi'))]);
    expect(portable([hi, said(thought, blank), said(text(' \n')), hi])).toEqual([user(text('hi'), text('hi'))]);
    expect(portable([hi, said(thought, text('so'), thought, blank), hi])).toEqual([
      ...[hi, said(thought, text('so'), blank), hi],
    ]);
  });

  it('says so where a user said nothing', () => {
    expect(portable([user(text(' \t\n'))])).toEqual([user(text('[empty message]'))]);
    expect(portable([user(), hi])).toEqual([hi]);
  });

  it('tells of images and files in words where the model takes none, and lets it read what is text', () => {
    const history = [user(text('look'), image, file)];
    expect(portable(history, { capabilities: { images: false, documents: true } })).toEqual([
      user(text('look'), text('[image omitted: this model takes no images]'), file),
    ]);
    expect(portable(history, { capabilities: { images: true, documents: false } })).toEqual([
      user(text('look'), image, text('[file a.pdf omitted: this model takes no documents]')),
    ]);
    const notes = { ...file, mediaType: 'text/plain', name: 'a.txt', data: { bytes: Buffer.from('Grüße') } };
    expect(portable([user(notes)], { capabilities: { images: true, documents: false } })).toEqual([
      user(text('[file a.txt]\nGrüße')),
    ]);
  });

  describe('images of tool results', () => {
    const shown = (mediaType: string) => ({ mediaType, data: { bytes: new Uint8Array([1]) } });
    const [first, second] = [shown('image/png'), shown('image/webp')];
    const history = [
      hi,
      said(call('a'), call('b'), call('c.1', 'web.shot')),
      told({ ...result('a'), images: [first] }, result('b'), { ...result('c.1'), images: [first, second] }),
    ];
    const asked = said(call('a'), call('b'), { ...call('call_2', 'web_shot'), arguments: { at: 'c.1' } } as never);
    const answered = told(result('a'), result('b'), { ...result('call_2', 'seen c.1'), name: 'web_shot' });
    const label = text('[Images of the tool results above, in this order: 1 of look (a), 2 of web_shot (call_2)]');
    const parts = [first, first, second].map((one): LlmUserPart => ({ type: 'image', ...one }));

    it('follow all of the results, and say which calls they are from', () => {
      expect(portable(history)).toStrictEqual([hi, asked, answered, user(label, ...parts)]);
    });

    it('stay where they are once the answer or the user goes on', () => {
      const before = portable(history);
      expect(portable([...history, said(text('so'))]).slice(0, 4)).toStrictEqual(before);
      expect(portable([...history, hi])).toStrictEqual([hi, asked, answered, user(label, ...parts, text('hi'))]);
    });

    it('are not shown to a model that takes none, which has the text', () => {
      const blind = { capabilities: { images: false, documents: true } };
      expect(portable(history, blind)).toStrictEqual([hi, asked, answered]);
    });

    it('of results that nobody asked for, or that come twice, are left out', () => {
      const twice = [hi, said(call('a')), told(result('a'), { ...result('a'), images: [first] }), told()];
      expect(portable(twice)).toStrictEqual([hi, said(call('a')), told(result('a'))]);
      expect(portable([hi, told({ ...result('a'), images: [first] })])).toStrictEqual([hi]);
    });
  });

  it('mends half a surrogate pair, which is no JSON to vendors, wherever it stands', () => {
    const half = 'a\ud83c';
    const whole = 'a\ufffd';
    const args = (words: string): LlmAssistantPart => ({
      ...{ type: 'tool_call', callId: 'a', name: 'look', arguments: { at: [words, '\\ud83c', '🎉'] } },
    });
    expect(portable([user(text(half)), said(text(half), args(half)), told(result('a', half))])).toEqual([
      ...[user(text(whole)), said(text(whole), args(whole)), told(result('a', whole))],
    ]);
  });
});

describe('any history at all', () => {
  const native: AnyNative = () =>
    fc.option(
      fc.record({
        vendor: fc.constantFrom('openai', 'anthropic'),
        model: fc.constantFrom('m', 'm2'),
        system: fc.constantFrom(systemPrint('Be brief.'), 'other'),
        data: fc.constantFrom({ signature: 'ab+/=' }, { item: { id: 'functions.look:0' } }, null),
      }),
      { nil: undefined },
    );
  const histories = anyHistory(native);
  const targets: fc.Arbitrary<HistoryTarget> = fc.record({
    vendor: fc.constantFrom('openai', 'anthropic'),
    model: fc.constant('m'),
    system: fc.constantFrom('Be brief.', undefined),
    capabilities: fc.record({ images: fc.boolean(), documents: fc.boolean() }),
  });
  const check = (property: (history: LlmMessage[], target: HistoryTarget) => void) =>
    fc.assert(fc.property(histories, targets, property), { numRuns: 1_000 });

  it('comes out in form, and is not itself changed', () => {
    check((history, target) => {
      const before = structuredClone(history);
      expectInForm(portableHistory(history, target), target);
      expect(history).toEqual(before);
    });
  });

  it('comes out the same from coming out twice', () => {
    check((history, target) => {
      const once = portableHistory(history, target);
      expect(portableHistory(once, target)).toEqual(once);
    });
  });

  it('keeps what went before as it grows, but for the last message', () => {
    fc.assert(
      fc.property(histories, anyMessage(native), targets, (history, next, target) => {
        const before = portableHistory(history, target);
        // What only asks to go on is no part of the history.
        if (isClosing(before.at(-1)!)) before.pop();
        // Nor are images, as long as results for the calls before them may still come.
        if (history.at(-1)?.role === 'tool' && before.at(-2)?.role === 'tool') before.pop();
        before.pop();
        expect(portableHistory([...history, next], target).slice(0, before.length)).toEqual(before);
      }),
      { numRuns: 1_000 },
    );
  });
});

const isClosing = ({ role, content }: LlmMessage): boolean =>
  role === 'user' && content.length === 1 && 'text' in content[0] && content[0].text === 'Continue.';

/** What the strictest of the vendors asks for, point by point. */
function expectInForm(messages: LlmMessage[], target: HistoryTarget): void {
  expect(messages[0].role).toBe('user');
  expect(messages.at(-1)!.role).not.toBe('assistant');
  const ids = new Set<string>();
  messages.forEach((message, at) => {
    expect(message.content).not.toHaveLength(0);
    const next = messages[at + 1];
    expect(next?.role).not.toBe(message.role);
    if (message.role === 'user') message.content.forEach((part) => expectUserPart(part, target));
    if (message.role === 'tool') {
      expect(messages[at - 1].role).toBe('assistant');
      message.content.forEach((result) => expect(result).not.toHaveProperty('images'));
    }
    if (message.role !== 'assistant') return;
    expect(
      message.content.some((part) => part.type === 'tool_call' || (part.type === 'text' && part.text.trim())),
    ).toBe(true);
    expect(message.content.at(-1)!.type).not.toBe('reasoning');
    message.content.forEach((part) => expectAssistantPart(part, target));
    const calls = message.content.filter((part) => part.type === 'tool_call');
    for (const { callId } of calls) expect(ids.has(callId) || !ids.add(callId)).toBe(false);
    if (!calls.length) return expect(next.role).toBe('user');
    expect(next.role).toBe('tool');
    const pairs = next.content.map((part) => 'callId' in part && [part.callId, part.name]);
    expect(pairs).toEqual(calls.map(({ callId, name }) => [callId, name]));
  });
  expect(JSON.stringify(messages)).not.toMatch(/\\ud[89a-f]/);
}

function expectUserPart(part: LlmUserPart, { capabilities }: HistoryTarget): void {
  if (part.type === 'text') expect(part.text.trim()).not.toBe('');
  else expect(capabilities[part.type === 'image' ? 'images' : 'documents']).toBe(true);
}

function expectAssistantPart(part: LlmAssistantPart, { vendor, model, system }: HistoryTarget): void {
  if (part.native) expect(part.native).toMatchObject({ vendor, model, system: systemPrint(system) });
  if (part.type === 'reasoning') expect(part.native).toBeDefined();
  if (part.type === 'text' && !part.native) expect(part.text.trim()).not.toBe('');
  if (part.type !== 'tool_call') return;
  expect(part.callId).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  expect(part.name).toMatch(/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/);
}
