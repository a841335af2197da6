import type { ToolEffect } from '@scorpio/events';
import type { JsonObject } from '@scorpio/kernel';
import type { WorkingTool } from './tool';
import {
  AgentRig,
  call,
  resultsOf,
  rigOf,
  started,
  successorOf,
  text,
  told,
  tool,
  tools,
} from '../../../test/support/agent-rig';
import { callKey } from './index';

const toolTypes = (rig: AgentRig): string[] => rig.types.filter((type) => /^(tool|interaction|file)\./.test(type));
const never = (): Promise<string> => new Promise(() => undefined);
const turn = (): Promise<void> => new Promise(setImmediate);

describe('tool calls', () => {
  it('run, and their result goes to the model', async () => {
    const add = tool('add', 'read', ({ n }) => `${n as number} more`);
    const rig = rigOf([add], ['a', 'add', { n: 3 }]);
    await rig.run();
    expect(toolTypes(rig)).toEqual(['tool.requested', 'tool.started', 'tool.completed']);
    expect(rig.of('tool.started')).toEqual([
      { type: 'tool.started', callId: 'a', attempt: 1, key: callKey('run', 1, 'a') },
    ]);
    expect(rig.of('tool.completed')).toMatchObject([{ callId: 'a', ok: true, result: '3 more', truncated: false }]);
    expect(resultsOf(rig)).toEqual([{ callId: 'a', name: 'add', output: '3 more', isError: false }]);
    expect(rig.types.at(-1)).toBe('run.completed');
  });

  it('may show images: eight of a call, told as the store gives them', async () => {
    const images = Array.from({ length: 9 }, (_, n) => ({ blobId: `blob_${n}`, mediaType: 'image/png' }));
    const shot = tool('shot', 'read', undefined, {
      execute: () => Promise.resolve({ content: 'Nine images', images }),
    });
    const rig = rigOf([shot, tool('add', 'read')], ['a', 'shot', {}], ['b', 'add', {}]);
    await rig.run();
    const [told, plain] = rig.of('tool.completed').toSorted((one, other) => (one.callId < other.callId ? -1 : 1));
    expect(told).toMatchObject({ callId: 'a', result: 'Nine images', images: images.slice(0, 8) });
    expect(plain).not.toHaveProperty('images');
    expect(rig.stored['m:1:2']).toMatchObject([{ callId: 'a', images: images.slice(0, 8) }, { callId: 'b' }]);
    expect(resultsOf(rig)[0].images?.map(({ data }) => data)).toEqual(
      images.slice(0, 8).map(({ blobId }) => ({ url: blobId })),
    );
    // Whoever goes on after a crash knows of them by the log alone.
    const cut = rig.types.lastIndexOf('tool.completed') + 1;
    const second = successorOf(rig, [shot, tool('add', 'read')]);
    await second.resume([started, ...rig.events.slice(0, cut)]);
    expect(resultsOf(second, 0)).toEqual(resultsOf(rig));
  });

  it('[T2] do not run with arguments that do not fit, and the model hears which', async () => {
    const add = tool('add', 'read');
    const deep = JSON.parse(`${'{"n":'.repeat(1000)}1${'}'.repeat(1000)}`) as JsonObject;
    const long = JSON.stringify({ n: 1, text: 'x'.repeat(1_000_001) });
    const rig = rigOf(
      [add],
      ['a', 'add', { n: 'three' }],
      ['b', 'add', { n: 1, m: 2 }],
      ['c', 'add', deep],
      ['d', 'add', long],
      ['e', 'add', '{"__proto__":{"polluted":true}}'],
      ['f', 'add', '{"constructor":{"prototype":{"polluted":true}}}'],
    );
    await rig.run();
    expect(add.runs).toEqual([]);
    expect(told(rig)).toEqual([
      'The arguments do not fit: n must be integer.',
      'The arguments do not fit: m should not exist.',
      'The arguments do not fit: n.n.n is nested deeper than 100 levels.',
      'The arguments have more than 1000000 characters.',
      'The arguments do not fit: __proto__ is not allowed as a name.',
      'The arguments do not fit: constructor is not allowed as a name.',
    ]);
    expect(rig.of('tool.requested')).toEqual([]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(rig.types.at(-1)).toBe('run.completed');
  });

  it('run beside each other up to the limit, and on one thing in the order of the model', async () => {
    const log: string[] = [];
    const gates = new Map<number, () => void>();
    const work = async ({ n }: JsonObject): Promise<string> => {
      log.push(`+${n as number}`);
      await new Promise<void>((open) => gates.set(n as number, open));
      log.push(`-${n as number}`);
      return `${n as number}`;
    };
    const same = tool('same', 'idempotent', work, { resource: () => 'one' });
    const free = tool('free', 'read', work);
    const rig = rigOf(
      [same, free],
      ['a', 'same', { n: 1 }],
      ['b', 'same', { n: 2 }],
      ['c', 'free', { n: 3 }],
      ['d', 'free', { n: 4 }],
    );
    rig.callLimits = { ...rig.callLimits, concurrency: 2 };
    const run = rig.run();
    const open = async (n: number): Promise<void> => {
      while (!gates.has(n)) await turn();
      gates.get(n)!();
    };
    await open(3);
    await open(4);
    await open(1);
    await open(2);
    await run;
    expect(log.slice(0, 2)).toEqual(['+1', '+3']);
    expect(log.indexOf('+4')).toBeGreaterThan(log.indexOf('-3'));
    expect(log.indexOf('+2')).toBeGreaterThan(log.indexOf('-1'));
    expect(told(rig)).toEqual(['1', '2', '3', '4']);
  });

  it('that fail are results, whatever is thrown', async () => {
    const bad = tool('bad', 'read', () => {
      throw new Error('No such thing.');
    });
    const rig = rigOf([bad], ['a', 'bad', {}]);
    await rig.run();
    expect(rig.of('tool.completed')[0]).toMatchObject({ ok: false, error: { code: 'tool_failed' } });
    expect(resultsOf(rig)).toEqual([{ callId: 'a', name: 'bad', output: 'No such thing.', isError: true }]);
  });

  it('[F20] that hang, and listen to no signal, end at their time', async () => {
    let signal: AbortSignal | undefined;
    const hang = tool('hang', 'unsafe', (_input, context) => ((signal = context.signal), never()), { timeoutMs: 20 });
    const rig = rigOf([hang], ['a', 'hang', {}]);
    await rig.run();
    expect(signal?.aborted).toBe(true);
    expect(rig.of('tool.completed')[0]).toMatchObject({ ok: false, error: { code: 'tool_timeout' } });
    expect(told(rig)[0]).toContain('may have taken effect');
    expect(rig.types.at(-1)).toBe('run.completed');
  });

  it('keep the head and the tail of long output, the whole of it beside, and say how to read on', async () => {
    const long = `${'a'.repeat(1500)}${'b'.repeat(1500)}😀`;
    const rig = rigOf([tool('long', 'read', () => long)], ['a', 'long', {}]);
    await rig.run();
    expect(rig.kept).toEqual([long]);
    expect(rig.of('tool.completed')[0]).toMatchObject({ truncated: true, blobId: 'blob_1' });
    expect(told(rig)[0]).toMatch(
      /^a{700}\n\n\[2002 of 3002 characters are left out here\. To read on, call read_output with {"blobId":"blob_1","offset":700}\.\]\n\nb{298}😀$/,
    );
  });

  it('show what they print while they work, in order and within bounds', async () => {
    const chatty = tool('chatty', 'read', (_input, { progress }) => {
      progress('out', 'one ');
      progress('err', 'oops');
      progress('out', 'two');
      progress('out', 'x'.repeat(300 * 1024));
      return 'ok';
    });
    const rig = rigOf([chatty], ['a', 'chatty', {}]);
    await rig.run();
    const shown = rig.of('tool.progress');
    expect(shown.slice(0, 3).map(({ stream, offset, text: said }) => [stream, offset, said])).toEqual([
      ['out', 0, 'one '],
      ['err', 0, 'oops'],
      ['out', 4, 'two'],
    ]);
    expect(shown.reduce((sum, { text: said }) => sum + said.length, 0)).toBe(256 * 1024);
    expect(toolTypes(rig).at(-1)).toBe('tool.completed');
  });

  it('[T9] of one answer are bounded, and all of them have a result', async () => {
    const ids = Array.from({ length: 500 }, (_, index) => `c${index}`);
    const one = tool('one', 'read');
    const rig = rigOf([one], ...ids.map((id): [string, string, unknown] => [id, 'one', {}]));
    await rig.run();
    expect(one.runs).toHaveLength(8);
    expect(resultsOf(rig).map(({ callId }) => callId)).toEqual(ids);
    expect(rig.of('tool.completed').filter(({ error }) => error?.code === 'too_many_calls')).toHaveLength(492);
  });

  it('[T9] that come to the same again and again end the run as a loop', async () => {
    const again = tools(call('x', 'one', {}));
    const rig = new AgentRig(Array.from({ length: 9 }, () => again));
    rig.tools = [tool('one', 'read')];
    await expect(rig.run()).rejects.toMatchObject({ code: 'loop_detected' });
    expect(rig.of('step.completed')).toHaveLength(5);
    expect(rig.of('tool.completed')).toHaveLength(5);

    let count = 0;
    const polling = new AgentRig([...Array.from({ length: 9 }, () => again), text('Done')]);
    polling.tools = [tool('one', 'read', () => String(++count))];
    await polling.run();
    expect(polling.types.at(-1)).toBe('run.completed');
  });
});

describe('a call that could change something', () => {
  it('begins only when the store has the record of it; one that reads does not wait', async () => {
    const seen: Record<string, boolean> = {};
    const given = (['read', 'idempotent', 'unsafe'] as const).map((effect) =>
      tool(effect, effect, () => {
        const started = rig.events.findIndex((event) => event.type === 'tool.started' && event.callId === effect);
        seen[effect] = rig.stops.some((events) => events > started);
        return '';
      }),
    );
    let rig = rigOf(given, ['unsafe', 'unsafe', {}]);
    await rig.run();
    rig = rigOf(given, ['idempotent', 'idempotent', {}]);
    await rig.run();
    rig = rigOf(given, ['read', 'read', {}]);
    await rig.run();
    expect(seen).toEqual({ read: false, idempotent: true, unsafe: true });
  });

  it.each<[ToolEffect, runs: number, keys: number]>([
    ['read', 2, 1],
    ['idempotent', 2, 1],
    ['attachable', 1, 1],
    ['unsafe', 1, 1],
  ])('that was lost in the middle: %s runs %i times, by one key', async (effect, runs, keys) => {
    const one = tool('one', effect);
    const first = rigOf([one], ['a', 'one', {}]);
    first.interactive = false;
    await first.run();
    const cut = first.types.indexOf('tool.started') + 1;
    const second = successorOf(first, [one]);
    second.interactive = false;
    await second.resume([started, ...first.events.slice(0, cut)]);
    expect(one.runs).toHaveLength(runs);
    expect(new Set(one.runs.map(({ key }) => key)).size).toBe(keys);
    const lost = effect === 'unsafe' || effect === 'attachable';
    expect(toolTypes(second)).toEqual(lost ? ['tool.unknown', 'tool.completed'] : ['tool.started', 'tool.completed']);
    if (lost) expect(second.of('tool.completed')[0].error?.code).toBe('outcome_unknown');
    else expect(second.of('tool.started')[0].attempt).toBe(2);
  });

  describe('and is attachable', () => {
    /** A run that was cut when its call had begun, and the one that goes on with it. */
    async function cut(attach: WorkingTool['attach'], interactive = false) {
      const one = tool('one', 'attachable', undefined, { attach });
      const first = rigOf([one], ['a', 'one', { n: 3 }]);
      await first.run();
      const second = successorOf(first, [one]);
      second.interactive = interactive;
      await second.resume([started, ...first.events.slice(0, first.types.indexOf('tool.started') + 1)]);
      expect(one.runs).toHaveLength(1);
      return { first, second };
    }

    it('is taken up again by its key, with all that a call can do', async () => {
      const seen: object[] = [];
      const { second } = await cut((input, { key, callId, progress }) => {
        seen.push({ input, key, callId });
        progress('out', 'still here');
        return Promise.resolve({ content: 'what it came to' });
      });
      expect(seen).toEqual([{ input: { n: 3 }, key: callKey('run', 1, 'a'), callId: 'a' }]);
      expect(toolTypes(second)).toEqual(['tool.started', 'tool.progress', 'tool.completed']);
      expect(second.of('tool.started')[0].attempt).toBe(2);
      expect(second.of('tool.completed')[0]).toMatchObject({ ok: true, result: 'what it came to' });
      expect(resultsOf(second, 0).map(({ output }) => output)).toEqual(['what it came to']);
    });

    it.each<[string, WorkingTool['attach']]>([
      ['is gone', () => Promise.resolve(undefined)],
      ['cannot be asked for', () => Promise.reject(new Error('Nobody answers.'))],
    ])('and %s: nobody knows what it did', async (_, attach) => {
      const { second } = await cut(attach);
      expect(toolTypes(second)).toEqual(['tool.started', 'tool.unknown', 'tool.completed']);
      expect(second.of('tool.completed')[0].error?.code).toBe('outcome_unknown');
      const asking = (await cut(attach, true)).second;
      expect(toolTypes(asking)).toEqual(['tool.started', 'tool.unknown', 'interaction.requested']);
      expect(asking.of('interaction.requested')[0]).toMatchObject({ kind: 'unknown_outcome', callId: 'a' });
      expect(asking.types.at(-1)).toBe('run.parked');
    });
  });

  it('comes to one result for the model wherever its run is cut, and an unsafe one never runs twice', async () => {
    for (const effect of ['read', 'idempotent', 'unsafe'] as const) {
      const whole = rigOf([tool('one', effect), tool('two', 'read')], ['a', 'one', {}], ['b', 'two', {}]);
      await whole.run();
      const end = whole.types.indexOf('step.started', 1);
      for (let cut = whole.types.indexOf('step.completed') + 1; cut <= end; cut += 1) {
        const log = whole.events.slice(0, cut);
        const begun = log.some((event) => event.type === 'tool.started' && event.callId === 'a');
        const one = tool('one', effect);
        const rig = successorOf(whole, [one, tool('two', 'read')]);
        rig.interactive = false;
        await rig.resume([started, ...log]);
        expect(rig.types.at(-1)).toBe('run.completed');
        expect(resultsOf(rig, 0).map(({ callId }) => callId)).toEqual(['a', 'b']);
        if (effect === 'unsafe' && begun) expect(one.runs).toEqual([]);
        const completed = [...log, ...rig.events].filter((event) => event.type === 'tool.completed');
        expect(completed.map((event) => event.callId).sort()).toEqual(['a', 'b']);
      }
    }
  });
});
