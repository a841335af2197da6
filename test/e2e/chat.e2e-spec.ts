import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { FakeLlm } from '../support/fake-llm';
import { checkRun, everySeqOnce } from '../support/oracles';
import { eventsOf, sessionOf, textOf, typesOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const FAKE = 'fake/m';

describeStores('chat', (store) => {
  const fake = new FakeLlm();
  let app: AppHarness;
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;
  beforeAll(async () => {
    await fake.start();
    app = await AppHarness.start({
      DEFAULT_MODEL: 'demo/scribe',
      LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: fake.url, models: ['m'] }]),
      LLM_MAX_ATTEMPTS: '1',
      SSE_HEARTBEAT_MS: '40',
      ...store.env(),
    });
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  });
  afterAll(async () => {
    await app?.close();
    await fake.close();
  });
  beforeEach(() => fake.reset());

  describe('as a stream', () => {
    it('[P1] needs no more than a message: the session is made, the answer streamed and kept', async () => {
      const read = await sse.chat({ message: 'hi' });
      expect(typesOf(read)).toEqual([
        'run.created',
        'run.started',
        'step.started',
        'part.started',
        'part.delta',
        'part.completed',
        'step.completed',
        'session.updated',
        'run.completed',
      ]);
      const sessionId = sessionOf(read);
      const input = `${sessionId}:000001:0000:0`;
      const answer = `${sessionId}:000001:0001:1`;
      expect(read.events.map(({ event }) => event)).toMatchObject([
        { v: 1, seq: 1, runId: read.runId, sessionId, model: 'demo/scribe', onBusy: 'enqueue', position: 0 },
        { seq: 2, epoch: 1, messageId: input },
        { step: 1, attempt: 1, provider: 'demo', model: 'scribe' },
        { step: 1, part: 1, kind: 'text' },
        ...eventsOf(read, 'part.delta').map(() => ({ part: 1 })),
        { part: 1 },
        { step: 1, finish: 'stop', messageId: answer, usage: { inputTokens: 1 }, cost: 0 },
        { title: 'hi' },
        { messages: [input, answer], usage: { inputTokens: 1 }, cost: 0 },
      ]);
      expect(textOf(read)).toContain('“hi”');
      await checkRun(api, [read]);
      expect(await chat.messages(sessionId)).toMatchObject([
        { id: input, role: 'user', parts: [{ type: 'text', text: 'hi' }] },
        { id: answer, role: 'assistant', model: 'demo/scribe', finish: 'stop', partial: false },
      ]);
      await eventually(async () =>
        expect((await chat.session(sessionId)).body).toMatchObject({ title: 'hi', activeRun: null }),
      );
    });

    it('opens with headers that no proxy holds back, and a frame that moves no cursor', async () => {
      const { runId } = await sse.chat({ message: '/say one two three' });
      const open = async (cursor?: string) => {
        const headers: Record<string, string> = cursor === undefined ? {} : { 'last-event-id': cursor };
        return fetch(`${app.url}/api/v1/runs/${runId}/events`, { headers });
      };
      const response = await open();
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      expect(await response.text()).toMatch(new RegExp(`^retry: \\d+\\nid: ${runId}:0\\n\\nid: ${runId}:1\\nevent: `));
      expect(await (await open(`${runId}:4`)).text()).toMatch(
        new RegExp(`^retry: \\d+\\nid: ${runId}:4\\n\\nid: ${runId}:5\\nevent: `),
      );
    });

    it('tells reasoning and text apart', async () => {
      const read = await sse.chat({ message: '/reason why not\n/say because' });
      expect(eventsOf(read, 'part.started')).toMatchObject([
        { part: 1, kind: 'reasoning' },
        { part: 2, kind: 'text' },
      ]);
      await checkRun(api, [read], ['because']);
      expect((await chat.messages(sessionOf(read)))[1].parts).toEqual([
        { type: 'reasoning', text: 'why not' },
        { type: 'text', text: 'because' },
      ]);
    });

    it('[P4] answers each of several calls of tools that are not there, and the run goes on', async () => {
      const read = await sse.chat({
        message: '/say wait\n/tool read_file {"path":"a"}\n/tool now\n/tool now {"x":[1]}',
      });
      const part = ['part.started', 'part.delta', 'part.completed'];
      expect(typesOf(read)).toEqual([
        ...['run.created', 'run.started', 'step.started'],
        ...[...part, ...part, ...part, ...part],
        ...['step.completed', 'tool.completed', 'tool.completed', 'tool.completed'],
        ...['step.started', ...part, 'step.completed', 'session.updated', 'run.completed'],
      ]);
      const calls = eventsOf(read, 'part.started').filter(({ kind }) => kind === 'tool_input');
      expect(calls.map(({ name }) => name)).toEqual(['read_file', 'now', 'now']);
      const ids = calls.map(({ callId }) => callId);
      expect(new Set(ids).size).toBe(3);
      const results = eventsOf(read, 'tool.completed');
      expect(results.map(({ callId }) => callId)).toEqual(ids);
      for (const result of results) expect(result).toMatchObject({ ok: false, error: { code: 'tool_not_found' } });
      expect(eventsOf(read, 'step.completed')).toMatchObject([{ finish: 'tool_calls' }, { step: 2, finish: 'stop' }]);
      await checkRun(api, [read], ['wait', expect.stringContaining('The tool read_file failed: “There is no tool')]);
      const messages = await chat.messages(sessionOf(read));
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant']);
      expect(messages[1].parts.slice(1)).toMatchObject([
        { type: 'tool_call', callId: ids[0], name: 'read_file', arguments: { path: 'a' } },
        { type: 'tool_call', callId: ids[1], name: 'now', arguments: {} },
        { type: 'tool_call', callId: ids[2], name: 'now', arguments: { x: [1] } },
      ]);
      expect(messages[2].parts).toMatchObject(ids.map((callId) => ({ type: 'tool_result', callId, isError: true })));
      expect(eventsOf(read, 'run.completed')[0]!.messages).toEqual(messages.map(({ id }) => id));
    });

    it('is not silent for longer than it says', async () => {
      fake.next({ hang: true });
      const read = await sse.chat({ message: 'hello?', model: FAKE }, { cutAfter: 3 });
      const leave = new AbortController();
      const reading = sse.connect(read, { signal: leave.signal }).catch(() => undefined);
      await eventually(() => expect(read.heartbeats).toBeGreaterThan(2));
      leave.abort();
      await reading;
      await chat.cancel(read.runId);
      everySeqOnce(await sse.follow(read));
    });

    it('[E1] keeps text, names and errors that look like frames inside their one event', async () => {
      const nasty =
        'a\n\ndata: {"type":"run.completed"}\r\r\nevent: run.failed\nid: 7\n\n: hb\u2028\u2029\u0000\ud800 end';
      const name = 'x\n\nevent: run.completed\rdata: {}';
      fake.next({ text: nasty, tools: [{ name, arguments: JSON.stringify({ [nasty]: nasty }) }] }, { text: 'done' });
      const read = await sse.chat({ message: nasty, model: FAKE, metadata: { note: 'data: x\n\nevent: y' } });
      await checkRun(api, [read], [nasty.replace('\ud800', '\ufffd'), 'done']);
      expect(eventsOf(read, 'part.started')[1]).toMatchObject({ kind: 'tool_input', name });
      expect(eventsOf(read, 'tool.completed')).toMatchObject([{ error: { code: 'tool_not_found' } }]);

      fake.next({ status: 400, message: nasty });
      const failed = await sse.chat({ message: 'again', model: FAKE });
      await checkRun(api, [failed]);
      expect(eventsOf(failed, 'run.failed')).toMatchObject([{ code: 'provider_rejected' }]);
    });
  });

  describe('as one answer', () => {
    it('[P2] gives text, parts, run, usage and messages together', async () => {
      const sessionId = await chat.newSession();
      const { status, headers, body } = await chat.send(sessionId, {
        message: '/reason hm\n/say all of it\n/tool nope',
      });
      expect(status).toBe(200);
      const messages = await chat.messages(sessionId);
      expect(body).toMatchObject({
        sessionId,
        text: expect.stringMatching(/^all of it.*The tool nope failed/s) as string,
        run: { id: headers.get('x-run-id'), sessionId, status: 'completed', error: null, cancelled: null },
        cost: 0,
        messages,
      });
      expect(body.run.messages).toEqual(messages.map(({ id }) => id));
      expect(body.parts.map(({ type }: { type: string }) => type)).toEqual([
        ...['reasoning', 'text', 'tool_call', 'tool_result', 'text'],
      ]);
      expect(body.usage).toEqual(body.run.usage);
      expect(body.usage.outputTokens).toBeGreaterThan(0);
      expect(headers.get('x-session-id')).toBe(sessionId);
    });

    it('[P2] answers 202 with the run where that is preferred, and the run can be asked for', async () => {
      const sessionId = await chat.newSession();
      const { status, headers, body } = await chat.send(
        sessionId,
        { message: '/say later' },
        { prefer: 'respond-async' },
      );
      expect({ status, applied: headers.get('preference-applied') }).toEqual({ status: 202, applied: 'respond-async' });
      expect(body).toMatchObject({ id: headers.get('x-run-id'), sessionId, messages: [] });
      expect((await chat.runIs(body.id, 'completed')).endedAt).toEqual(expect.any(String));
      expect((await chat.messages(sessionId))[1].parts).toEqual([{ type: 'text', text: 'later' }]);
    });

    it('[P2] answers 202 when people must answer first', async () => {
      const sessionId = await chat.newSession({ tools: ['ask_user'] });
      const { status, body } = await chat.send(sessionId, { message: '/say well\n/ask which one?' });
      expect(status).toBe(202);
      expect(body).toMatchObject({ text: 'well', run: { status: 'waiting_input', endedAt: null } });
      await chat.cancel(body.run.id);
    });

    it.each([
      ['auth', 'provider_auth', false],
      ['invalid-request', 'provider_rejected', false],
      ['context-overflow', 'context_overflow', false],
      ['truncated', 'upstream_truncated', true],
      ['overloaded', 'provider_unavailable', true],
    ])('answers 200 with what went wrong when the model fails by %s', async (kind, code, retryable) => {
      const sessionId = await chat.newSession();
      const { status, body } = await chat.send(sessionId, { message: `/say so far\n/fail ${kind}` });
      expect(status).toBe(200);
      expect(body).toMatchObject({ text: 'so far', run: { status: 'failed', error: { code, retryable } } });
      expect(body.run.error.message).toMatch(/\S/);
      expect(body.messages.at(-1)).toMatchObject({ role: 'assistant', partial: true });
      // The session goes on, and the model is told what was said.
      expect((await chat.send(sessionId, { message: '/say on' })).body).toMatchObject({ text: 'on' });
    });

    it('says what to set when the vendor refuses the key', async () => {
      fake.next({ status: 401, message: 'Incorrect API key provided: sk-secret123' });
      const { body } = await chat.send(await chat.newSession(), { message: 'hi', model: FAKE });
      expect(body.run.error).toMatchObject({
        code: 'provider_auth',
        message: expect.stringContaining('LLM_ENDPOINTS'),
      });
      expect(JSON.stringify(body)).not.toContain('secret123');
    });
  });
});
