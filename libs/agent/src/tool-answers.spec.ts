import type { RunEvent, RunEventDraft } from '@scorpio/events';
import { resultsOf, rigOf, started, successorOf, told, tool } from '../../../test/support/agent-rig';
import { RunState, abandoned, callKey, type WorkingTool } from './index';

const never = (): Promise<string> => new Promise(() => undefined);
const turn = (): Promise<void> => new Promise(setImmediate);

describe('a call whose outcome is not known', () => {
  /** A run that was lost in the middle of the call, and what it asked when it was taken up. */
  async function lost(one: WorkingTool) {
    const first = rigOf([one], ['a', 'one', {}]);
    await first.run();
    const log = [started, ...first.events.slice(0, first.types.indexOf('tool.started') + 1)];
    const parked = successorOf(first, [one]);
    await parked.resume(log);
    expect(parked.types).toEqual(['tool.unknown', 'interaction.requested', 'run.parked']);
    return { parked, log: [...log, ...parked.events], asked: parked.of('interaction.requested')[0] };
  }

  it.each<[action: string, runs: number, output: RegExp]>([
    ['retry', 2, /^done$/],
    ['provide_result', 1, /^It was sent\.$/],
    ['skip', 1, /not known/],
  ])('is decided by people: %s', async (action, runs, output) => {
    const one = tool('one', 'unsafe');
    const { parked, log, asked } = await lost(one);
    expect(asked.kind).toBe('unknown_outcome');
    const rig = successorOf(parked, [one]);
    const value = { action, ...(action === 'provide_result' && { result: 'It was sent.' }) };
    rig.inbox.answers = [{ interactionId: asked.interactionId, by: 'ada', outcome: 'answered', value }];
    await rig.resume(log);
    expect(one.runs).toHaveLength(runs);
    expect(rig.types[0]).toBe('interaction.resolved');
    expect(resultsOf(rig, 0)[0].output).toMatch(output);
  });

  it('is asked about again, under another id, when the retry is lost too', async () => {
    const one = tool('one', 'unsafe');
    const { parked, log, asked } = await lost(one);
    const retried: RunEventDraft[] = [
      { type: 'interaction.resolved', interactionId: asked.interactionId, outcome: 'answered', by: 'ada' },
      { type: 'tool.started', callId: 'a', attempt: 2, key: callKey('run', 1, 'a') },
    ];
    const again = successorOf(parked, [one]);
    await again.resume([...log, ...retried]);
    expect(again.types).toEqual(['tool.unknown', 'interaction.requested', 'run.parked']);
    expect(again.of('interaction.requested')[0].interactionId).not.toBe(asked.interactionId);
    expect(one.runs).toHaveLength(1);
  });
});

describe('approvals', () => {
  const asking = (...calls: [string, string, unknown][]) => {
    const one = tool('one', 'unsafe', ({ n }) => `ran with ${n as number}`);
    const rig = rigOf([one, tool('two', 'read')], ...calls);
    rig.verdicts.one = 'ask';
    return { rig, one };
  };

  it('hold a call back, beside others that run, until people have answered', async () => {
    const { rig, one } = asking(['a', 'one', { n: 1 }], ['b', 'two', {}]);
    const state = await rig.run();
    expect(one.runs).toEqual([]);
    expect(rig.of('interaction.requested')).toMatchObject([
      { kind: 'approval', callId: 'a', tool: { name: 'one', arguments: { n: 1 } } },
    ]);
    expect(rig.of('tool.completed').map(({ callId }) => callId)).toEqual(['b']);
    expect(rig.types.at(-1)).toBe('run.parked');

    const [{ interactionId }] = rig.of('interaction.requested');
    rig.inbox.answers = [{ interactionId, by: 'ada', outcome: 'approved', always: true }];
    await rig.run(state, rig.history);
    expect(one.runs).toMatchObject([{ input: { n: 1 } }]);
    expect(rig.allowed).toEqual(['one']);
    expect(rig.types.at(-1)).toBe('run.completed');
  });

  it('may change the arguments, and the model hears of it', async () => {
    const { rig, one } = asking(['a', 'one', { n: 1 }]);
    const state = await rig.run();
    const [{ interactionId }] = rig.of('interaction.requested');
    rig.inbox.answers = [{ interactionId, by: 'ada', outcome: 'approved', arguments: { n: 2 } }];
    await rig.run(state, rig.history);
    expect(one.runs).toMatchObject([{ input: { n: 2 } }]);
    expect(told(rig)).toEqual(['[The user changed the arguments to {"n":2}]\nran with 2']);
    const log = [started, ...rig.events] as RunEvent[];
    expect(RunState.fold(log).calls.get('a')).toMatchObject({ arguments: { n: 2 }, approved: true });
    expect(rig.allowed).toEqual([]);
  });

  it('do not let changed arguments pass that do not fit', async () => {
    const { rig, one } = asking(['a', 'one', { n: 1 }]);
    const state = await rig.run();
    const [{ interactionId }] = rig.of('interaction.requested');
    rig.inbox.answers = [{ interactionId, by: 'ada', outcome: 'approved', arguments: { n: 'x' } }];
    await rig.run(state, rig.history);
    expect(one.runs).toEqual([]);
    expect(told(rig)[0]).toContain('n must be integer');
  });

  it('that are refused tell the model why', async () => {
    const { rig, one } = asking(['a', 'one', { n: 1 }]);
    const state = await rig.run();
    const [{ interactionId }] = rig.of('interaction.requested');
    rig.inbox.answers = [{ interactionId, by: 'ada', outcome: 'denied', message: 'Not on a Friday.' }];
    await rig.run(state, rig.history);
    expect(one.runs).toEqual([]);
    expect(resultsOf(rig)).toEqual([{ callId: 'a', name: 'one', output: 'Not on a Friday.', isError: true }]);
  });

  it('given before a crash hold after it, and a refusal by rule asks nobody', async () => {
    const { rig, one } = asking(['a', 'one', { n: 1 }]);
    await rig.run();
    const [{ interactionId }] = rig.of('interaction.requested');
    const again = successorOf(rig, rig.tools);
    again.verdicts.one = 'ask';
    await again.resume([
      started,
      ...rig.events,
      { type: 'interaction.resolved', interactionId, outcome: 'approved', by: 'ada' },
    ]);
    expect(one.runs).toHaveLength(1);

    const denied = asking(['a', 'one', { n: 1 }]);
    denied.rig.verdicts.one = 'deny';
    await denied.rig.run();
    expect(denied.rig.of('interaction.requested')).toEqual([]);
    expect(denied.rig.of('tool.completed')[0].error?.code).toBe('denied');
  });

  it('are refused where nobody can be asked', async () => {
    const { rig, one } = asking(['a', 'one', { n: 1 }], ['q', 'ask_user', { question: 'Which?' }]);
    rig.interactive = false;
    await rig.run();
    expect(one.runs).toEqual([]);
    expect(rig.of('tool.completed').map(({ error }) => error?.code)).toEqual(['approval_required', 'nobody_to_ask']);
    expect(rig.types.at(-1)).toBe('run.completed');
  });
});

describe('a call that asks people in the middle of its work', () => {
  const asking = () => {
    const one = tool('one', 'unsafe', async (_input, { elicit }) => {
      const answer = await elicit!({ message: 'How many?', schema: { type: 'integer' } });
      return `${answer.outcome} ${JSON.stringify(answer.value)}`;
    });
    return { one, rig: rigOf([{ ...one, timeoutMs: 100 }], ['a', 'one', {}]) };
  };

  it.each([
    ['answered', 3, 'answered 3'],
    ['denied', undefined, 'denied undefined'],
  ] as const)('waits for them without parking, and longer than its own time: %s', async (outcome, value, output) => {
    const { rig } = asking();
    const run = rig.run();
    while (!rig.types.includes('interaction.requested')) await turn();
    expect(rig.of('interaction.requested')).toMatchObject([
      { interactionId: 'int_1', kind: 'elicitation', callId: 'a', prompt: 'How many?', schema: { type: 'integer' } },
    ]);
    await new Promise((over) => setTimeout(over, 150));
    rig.inbox.answers = [{ interactionId: 'int_1', by: 'ada', outcome, value }];
    await run;
    expect(rig.types).not.toContain('run.parked');
    expect(rig.of('interaction.resolved')).toMatchObject([{ interactionId: 'int_1', outcome, by: 'ada' }]);
    expect(told(rig)).toEqual([output]);
  });

  it('hears them all the same when the store was away for a moment', async () => {
    const { rig } = asking();
    rig.away = 1;
    rig.inbox.answers = [{ interactionId: 'int_1', by: 'ada', outcome: 'answered', value: 3 }];
    await rig.run();
    expect(told(rig)).toEqual(['answered 3']);
  });

  it('is lost with its question when its owner dies', async () => {
    const { rig, one } = asking();
    const run = rig.run();
    while (!rig.types.includes('interaction.requested')) await turn();
    const log = [...rig.events];
    rig.abort.abort(new Error('gone'));
    await expect(run).rejects.toThrow('gone');
    const next = successorOf(rig, [one]);
    next.interactive = false;
    await next.resume([started, ...log]);
    expect(next.types.slice(0, 3)).toEqual(['interaction.resolved', 'tool.unknown', 'tool.completed']);
    expect(next.of('interaction.resolved')).toMatchObject([{ outcome: 'cancelled', by: 'system' }]);
  });
});

describe('a run that is stopped in the middle of calls', () => {
  it('aborts all of them, keeps what came to an end, and waits for none that does not listen', async () => {
    const signals: AbortSignal[] = [];
    const listens = tool('listens', 'unsafe', (_input, { signal }) => {
      signals.push(signal);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));
    });
    const deaf = tool('deaf', 'unsafe', (_input, { signal }) => (signals.push(signal), never()));
    const quick = tool('quick', 'read');
    const rig = rigOf([listens, deaf, quick], ['a', 'listens', {}], ['b', 'deaf', {}], ['c', 'quick', {}]);
    const reason = new Error('cancelled');
    const run = rig.run();
    while (signals.length < 2 || !rig.types.includes('tool.completed')) await turn();
    rig.abort.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(signals.every(({ aborted }) => aborted)).toBe(true);
    expect(rig.of('tool.completed').map(({ callId }) => callId)).toEqual(['c']);

    const state = RunState.fold(rig.events as RunEvent[]);
    const open = [...state.calls.values()].filter(({ status }) => status !== 'completed');
    expect(open.map(({ callId }) => callId)).toEqual(['a', 'b']);
    expect(abandoned(open[0], 'cancelled')).toMatchObject({
      type: 'tool.completed',
      ok: false,
      error: { code: 'cancelled' },
      result: expect.stringContaining('not known') as string,
    });
  });
});
