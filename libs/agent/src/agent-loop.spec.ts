import { NO_USAGE, type RunEvent, type RunEventDraft } from '@scorpio/events';
import { LlmError, type LlmToolResult } from '@scorpio/llm';
import type { ScriptedCall } from '@scorpio/llm/testing';
import { AgentRig, call, text, tools } from '../../../test/support/agent-rig';
import { AgentFailure, RunState } from './index';

describe('the agent loop', () => {
  it('answers in one step and says so in order', async () => {
    const rig = new AgentRig([text('Hello there')]);
    await rig.run();
    expect(rig.types).toEqual([
      'step.started',
      'part.started',
      'part.delta',
      'part.delta',
      'part.completed',
      'step.completed',
      'run.completed',
    ]);
    expect(rig.of('part.delta').map(({ offset, text: said }) => [offset, said])).toEqual([
      [0, 'Hello'],
      [5, ' there'],
    ]);
    expect(rig.of('run.completed')[0]).toMatchObject({
      messages: ['m:0:0', 'm:1:1'],
      usage: { ...NO_USAGE, inputTokens: 10, outputTokens: 5 },
      cost: 0.00002,
    });
  });

  it('pairs every call with one result and goes on: no tool, no JSON, two calls with one id', async () => {
    const asked = tools(call('a', 'nothing', {}), call('b', 'ask_user', '{"question":'), call('a', 'nothing', {}));
    const rig = new AgentRig([asked, text('Sorry')]);
    await rig.run();
    expect(rig.of('tool.completed').map(({ callId, ok, error }) => [callId, ok, error?.code])).toEqual([
      ['a', false, 'tool_not_found'],
      ['b', false, 'invalid_arguments'],
      ['call_new1', false, 'tool_not_found'],
    ]);
    const [, assistant, results] = rig.provider.requests[1].messages;
    const called = assistant.content.map((part) => (part as { callId: string }).callId);
    expect(called).toEqual(['a', 'b', 'call_new1']);
    expect((results.content as LlmToolResult[]).map((result) => result.callId)).toEqual(called);
    expect(rig.of('tool.requested')).toEqual([]);
    expect(rig.types.at(-1)).toBe('run.completed');
  });

  it('resets a step that broke off after text was shown, and never shows it twice', async () => {
    const broken: ScriptedCall = [...text('One two three').slice(0, 3), new LlmError('truncated', 'cut')];
    const rig = new AgentRig([broken, text('One two three')]);
    await rig.run();
    const reset = rig.types.indexOf('step.reset');
    expect(rig.types.slice(reset - 1, reset + 2)).toEqual(['provider.retry', 'step.reset', 'step.started']);
    const shown = rig.events.slice(reset).filter((event) => event.type === 'part.delta');
    expect(shown.map((event) => event.text).join('')).toBe('One two three');
    expect(rig.stored['m:1:1']).toMatchObject({ content: [{ type: 'text', text: 'One two three' }] });
    expect(rig.of('step.started').map((event) => event.attempt)).toEqual([1, 2]);
  });

  it('needs no reset where nothing was shown, gives up at last, and tries no refusal twice', async () => {
    const rig = new AgentRig([[new LlmError('overloaded', 'busy', { status: 529 })], text('Fine')]);
    await rig.run();
    expect(rig.types.slice(0, 3)).toEqual(['step.started', 'provider.retry', 'step.started']);
    expect(rig.of('provider.retry')[0]).toMatchObject({ status: 529, code: 'provider_overloaded', attempt: 1 });

    const busy = (): ScriptedCall => [new LlmError('rate-limit', 'slow down', { status: 429 })];
    const hopeless = new AgentRig([busy(), busy(), busy(), text('never')]);
    await expect(hopeless.run()).rejects.toMatchObject({ kind: 'rate-limit' });
    expect(hopeless.provider.requests).toHaveLength(3);

    const refused = new AgentRig([[new LlmError('auth', 'no')], text('never')]);
    await expect(refused.run()).rejects.toMatchObject({ kind: 'auth' });
    expect(refused.provider.requests).toHaveLength(1);
  });

  it('asks people, parks, and makes their answer the result of the call', async () => {
    const rig = new AgentRig([tools(call('q', 'ask_user', { question: 'Which?' })), text('Blue it is')]);
    const state = await rig.run();
    expect(rig.types.slice(-3)).toEqual(['tool.requested', 'interaction.requested', 'run.parked']);
    expect(rig.of('run.parked')[0].interactions).toEqual(['int_1']);

    rig.inbox.answers = [{ interactionId: 'int_1', by: 'ada', outcome: 'answered', value: 'blue' }];
    const before = rig.events.length;
    const history = rig.provider.requests[0].messages;
    await rig.run(state, [
      ...history,
      {
        role: 'assistant',
        content: [{ type: 'tool_call', callId: 'q', name: 'ask_user', arguments: { question: 'Which?' } }],
      },
    ]);
    expect(rig.types.slice(before, before + 3)).toEqual(['interaction.resolved', 'tool.completed', 'step.started']);
    expect(rig.provider.requests[1].messages.at(-1)).toEqual({
      role: 'tool',
      content: [{ callId: 'q', name: 'ask_user', output: 'blue', isError: false }],
    });
    expect(rig.types.at(-1)).toBe('run.completed');
  });

  it('asks the same question, not a second one, when a crash came before it was heard', async () => {
    const rig = new AgentRig([tools(call('a', 'nothing', {}), call('q', 'ask_user', { question: 'Which?' }))]);
    await rig.run();
    const [{ interactionId }] = rig.of('interaction.requested');
    const heard = rig.events.slice(
      0,
      rig.events.findIndex(({ type }) => type === 'tool.completed'),
    );
    await rig.run(RunState.fold(heard as RunEvent[]), rig.provider.requests[0].messages);
    expect(rig.of('interaction.requested').map((asked) => asked.interactionId)).toEqual([interactionId, interactionId]);
  });

  it('takes a steer in before the next step, also one that comes as the answer ends', async () => {
    const rig = new AgentRig([text('First'), text('Second')]);
    rig.inbox.steers = [{ inputId: 'inp_1', text: 'and in French?' }];
    await rig.run();
    expect(rig.of('input.accepted')).toEqual([{ type: 'input.accepted', inputId: 'inp_1', messageId: 'm:2:0' }]);
    expect(rig.provider.requests[1].messages.at(-1)).toEqual({
      role: 'user',
      content: [{ type: 'text', text: 'and in French?' }],
    });
    expect(rig.of('run.completed')).toHaveLength(1);
    expect(rig.of('step.completed')).toHaveLength(2);
  });

  it('ends a run that asks for tools without end, and one that used its tokens', async () => {
    const again = () => tools(call('x', 'nothing', {}));
    const steps = new AgentRig([again(), again(), again()], { maxSteps: 2, maxTokens: 0, maxCost: 0, maxRepeats: 0 });
    await expect(steps.run()).rejects.toThrow(
      new AgentFailure('budget_exceeded', 'The run reached its limit of 2 steps (RUN_MAX_STEPS).'),
    );
    const tokens = new AgentRig([again(), again()], { maxSteps: 9, maxTokens: 15, maxCost: 0, maxRepeats: 0 });
    await expect(tokens.run()).rejects.toThrow(/15 tokens/);
  });

  it('stops at once when the run is stopped, with the reason', async () => {
    const rig = new AgentRig([[...text('One two').slice(0, 2), 'hang']]);
    const reason = new Error('cancelled');
    const run = rig.run();
    while (!rig.types.includes('part.delta')) await new Promise(setImmediate);
    rig.abort.abort(reason);
    await expect(run).rejects.toBe(reason);
  });

  it('stops too where it would only look again whether it may complete', async () => {
    const rig = new AgentRig([text('Done')]);
    const reason = new Error('fenced');
    rig.onClose = () => {
      rig.inbox.answers = [{ interactionId: 'int_none', by: 'ada', outcome: 'answered' }];
      if (rig.closes === 2) rig.abort.abort(reason);
      if (rig.closes > 9) throw new Error('It looks for ever.');
    };
    await expect(rig.run()).rejects.toBe(reason);
  });

  it('leaves a drained run at the end of a step, never before its first', async () => {
    const rig = new AgentRig([tools(call('x', 'nothing', {})), text('later')]);
    rig.draining = true;
    await expect(rig.run()).rejects.toThrow('handed over');
    expect(rig.of('step.completed')).toHaveLength(1);
  });
});

describe('a chain of models', () => {
  const answer = text('one two three');

  it('shows no text twice, wherever the first model breaks off: the next one begins after a reset', async () => {
    for (let chunk = 0; chunk < answer.length; chunk += 1) {
      const broken = [...answer.slice(0, chunk), new LlmError('unavailable', 'down', { status: 500 })];
      const rig = new AgentRig([broken, broken, broken, answer]);
      rig.standIns = ['second'];
      const state = await rig.run();
      const said = state.partsOf(1).map(([, part]) => part.text.join(''));
      expect(said).toEqual(['one two three']);
      expect(rig.of('step.started').map(({ model, attempt }) => [model, attempt])).toEqual([
        ...[1, 2, 3].map((attempt) => ['model', attempt]),
        ['second', 4],
      ]);
      const change = rig.types.lastIndexOf('step.reset');
      expect(rig.events.slice(change - 1, change + 2)).toMatchObject([
        { type: 'provider.retry', code: 'provider_unavailable', status: 500, waitMs: 0, attempt: 3 },
        { type: 'step.reset', attempt: 3, reason: 'fallback' },
        { type: 'step.started', model: 'second' },
      ]);
      expect(rig.provider.requests.map(({ model }) => model)).toEqual(['model', 'model', 'model', 'second']);
    }
  });

  it('stays with the model that answered, and says which one that was', async () => {
    const refused = [new LlmError('auth', 'no key')];
    const rig = new AgentRig([refused, tools(call('c1', 'nothing', {})), answer]);
    rig.standIns = ['second'];
    const state = await rig.run();
    expect(state.modelCalls.map(({ step, model }) => [step, model])).toEqual([
      [1, 'scripted/second'],
      [2, 'scripted/second'],
    ]);
    expect(rig.stored['m:1:1']).toMatchObject({ model: 'scripted/second' });
    expect(rig.provider.requests.map(({ model }) => model)).toEqual(['model', 'second', 'second']);
  });

  it('ends with the failure of the last one', async () => {
    const rig = new AgentRig([[new LlmError('auth', 'first')], [new LlmError('auth', 'second')]]);
    rig.standIns = ['second'];
    await expect(rig.run()).rejects.toThrow('second');
  });

  it.each(['invalid-request', 'context-overflow'] as const)('asks no other model what is wrong: %s', async (kind) => {
    const rig = new AgentRig([[new LlmError(kind, 'no')], answer]);
    rig.standIns = ['second'];
    await expect(rig.run()).rejects.toMatchObject({ kind });
    expect(rig.provider.requests).toHaveLength(1);
  });
});

describe('a run that a new owner goes on with', () => {
  const fold = (drafts: RunEventDraft[]) => RunState.fold(drafts as RunEvent[]);
  const started: RunEventDraft = { type: 'run.started', epoch: 1, messageId: 'm:0:0' };
  const step: RunEventDraft = { type: 'step.started', step: 1, attempt: 1, provider: 'scripted', model: 'model' };
  const part: RunEventDraft = { type: 'part.started', step: 1, part: 1, kind: 'text' };
  const delta: RunEventDraft = { type: 'part.delta', part: 1, offset: 0, text: 'Hello' };
  const done: RunEventDraft = { type: 'part.completed', part: 1, chars: 5, sha256: '' };

  it('says a half-said step anew, after a reset, with new parts', async () => {
    const rig = new AgentRig([text('Hello')]);
    await rig.run(fold([started, step, part, delta]));
    expect(rig.types.slice(0, 3)).toEqual(['step.reset', 'step.started', 'part.started']);
    expect(rig.of('step.started')[0]).toMatchObject({ step: 1, attempt: 2 });
    expect(rig.of('part.started')[0].part).toBe(2);
  });

  it('only ends a step whose message is stored and whole in the log', async () => {
    const rig = new AgentRig([]);
    rig.stored['m:1:1'] = {
      messageId: 'm:1:1',
      finish: 'stop',
      usage: NO_USAGE,
      cost: 0,
      content: [{ type: 'text', text: 'Hello' }],
    };
    await rig.run(fold([started, step, part, delta, done]));
    expect(rig.types).toEqual(['step.completed', 'run.completed']);
    expect(rig.provider.requests).toEqual([]);
  });

  it('does not believe a stored message of which the log has not the whole', async () => {
    const rig = new AgentRig([text('Hello')]);
    rig.stored['m:1:1'] = { messageId: 'm:1:1', finish: 'stop', usage: NO_USAGE, cost: 0, content: [] };
    await rig.run(fold([started, step, part, delta]));
    expect(rig.types[0]).toBe('step.reset');
  });

  it('answers a steer that was taken in and not answered', async () => {
    const rig = new AgentRig([text('Oui')]);
    const ended: RunEventDraft = {
      type: 'step.completed',
      step: 1,
      finish: 'stop',
      messageId: 'm:1:1',
      durationMs: 1,
      usage: NO_USAGE,
      cost: 0,
    };
    await rig.run(
      fold([started, step, part, delta, done, ended, { type: 'input.accepted', inputId: 'i', messageId: 'm:2:0' }]),
    );
    expect(rig.types[0]).toBe('step.started');
    expect(rig.of('step.started')[0]).toMatchObject({ step: 2, attempt: 1 });
  });
});
