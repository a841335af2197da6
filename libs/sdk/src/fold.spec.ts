import { fold, newRunState, textOf, type RunState } from './fold.ts';
import type { RunEvent, TokenUsage } from './generated/types.gen.ts';

type Draft = { [T in RunEvent['type']]: Partial<Extract<RunEvent, { type: T }>> & { type: T } }[RunEvent['type']];

const usage: TokenUsage = {
  inputTokens: 1,
  outputTokens: 2,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  reasoningTokens: 0,
};
const told = (...events: Draft[]): RunState =>
  events.reduce(
    (state, event) => fold(state, { v: 1, runId: 'run_1', ts: '', seq: state.seq + 1, ...event } as RunEvent),
    newRunState('run_1'),
  );
const part = (number: number, step: number, text: string, kind: 'text' | 'reasoning' = 'text'): Draft[] => [
  { type: 'part.started', part: number, step, kind },
  { type: 'part.delta', part: number, offset: 0, text: text.slice(0, 2) },
  { type: 'part.delta', part: number, offset: 2, text: text.slice(2) },
  { type: 'part.completed', part: number },
];

describe('the fold of events', () => {
  it('puts the parts together, and tells text from reasoning', () => {
    const state = told(
      { type: 'run.created', sessionId: 'ses_1' },
      { type: 'run.started' },
      ...part(1, 1, 'why', 'reasoning'),
      ...part(2, 1, 'because'),
    );
    expect(state).toMatchObject({ sessionId: 'ses_1', status: 'running', seq: 10 });
    expect(state.parts.map(({ text, complete }) => [text, complete])).toEqual([
      ['why', true],
      ['because', true],
    ]);
    expect(textOf(state)).toBe('because');
  });

  it('drops the parts of a step that is reset, and of no other', () => {
    const state = told(
      ...part(1, 1, 'kept'),
      ...part(2, 2, 'dropped'),
      { type: 'step.reset', step: 2 },
      ...part(3, 2, ' anew'),
    );
    expect(textOf(state)).toBe('kept anew');
  });

  it('follows a tool call to its result', () => {
    const begun: Draft[] = [
      { type: 'part.started', part: 1, step: 1, kind: 'tool_input', callId: 'c', name: 'look' },
      { type: 'tool.requested', callId: 'c', name: 'look', arguments: { at: 1 } },
      { type: 'tool.started', callId: 'c' },
    ];
    expect(told(...begun).tools).toEqual([{ callId: 'c', name: 'look', arguments: { at: 1 }, status: 'running' }]);
    const ended = told(...begun, { type: 'tool.completed', callId: 'c', ok: true, result: 'a dot' });
    expect(ended.tools).toMatchObject([{ status: 'completed', ok: true, result: 'a dot' }]);
    expect(told(...begun, { type: 'tool.unknown', callId: 'c' }).tools).toMatchObject([{ status: 'unknown' }]);
  });

  it('names a call that got an error instead of being begun', () => {
    const error = { code: 'tool_not_found', message: 'no such tool' };
    const state = told(
      { type: 'part.started', part: 1, step: 1, kind: 'tool_input', callId: 'c', name: 'nope' },
      { type: 'tool.completed', callId: 'c', ok: false, error },
    );
    expect(state.tools).toMatchObject([{ name: 'nope', ok: false, error }]);
  });

  it('keeps what people are asked until it is settled', () => {
    const asked: Draft[] = [
      { type: 'interaction.requested', interactionId: 'int_1', kind: 'question', prompt: 'Well?', expiresAt: '' },
      { type: 'run.parked', interactions: ['int_1'] },
    ];
    expect(told(...asked)).toMatchObject({ status: 'waiting_input', interactions: [{ id: 'int_1', prompt: 'Well?' }] });
    const settled = told(...asked, { type: 'run.recovered' }, { type: 'interaction.resolved', interactionId: 'int_1' });
    expect(settled).toMatchObject({ status: 'running', interactions: [] });
  });

  it.each([
    [{ type: 'run.completed' } as const, { status: 'completed' }],
    [
      { type: 'run.cancelled', by: 'key_1', reason: 'user' } as const,
      { status: 'cancelled', cancelled: { by: 'key_1', reason: 'user' } },
    ],
    [
      { type: 'run.failed', code: 'x', message: 'm', retryable: true } as const,
      { status: 'failed', error: { code: 'x', message: 'm', retryable: true } },
    ],
  ])('ends by %j', (end, expected) => {
    expect(told({ ...end, messages: ['a'], usage, cost: null })).toMatchObject({
      ...expected,
      messages: ['a'],
      usage,
      cost: null,
    });
  });

  it('leaves the state it was given alone, and passes over events it does not know', () => {
    const before = told(...part(1, 1, 'abc'));
    const copy = structuredClone(before);
    const after = fold(before, { type: 'planet.moved', seq: 9 } as unknown as RunEvent);
    expect(after).toEqual({ ...copy, seq: 9 });
    fold(before, { type: 'part.delta', part: 1, offset: 3, text: 'd' } as RunEvent);
    expect(before).toEqual(copy);
  });
});
