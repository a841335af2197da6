import type { ApiClient } from '../support/api-client';
import { AppHarness } from '../support/app-harness';
import { ChatClient } from '../support/chat-client';
import { eventually } from '../support/eventually';
import { FakeLlm } from '../support/fake-llm';
import { checkRun } from '../support/oracles';
import { eventsOf, sessionOf, textOf, typesOf } from '../support/run-reads';
import type { SseReader } from '../support/sse-reader';
import { describeStores } from '../support/stores';

const FAKE = 'fake/m';
const TOOLS = ['ask_user'];
const CHOICE = '/tool ask_user {"question":"Which?","options":["left","right"]}';

describeStores('interactions', (store) => {
  const fake = new FakeLlm();
  let api: ApiClient;
  let chat: ChatClient;
  let sse: SseReader;
  const apps: AppHarness[] = [];

  const use = async (env: Record<string, string>): Promise<void> => {
    const app = await AppHarness.start({
      DEFAULT_MODEL: 'demo/scribe',
      LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: fake.url, models: ['m'] }]),
      SWEEP_INTERVAL_MS: '20',
      ...store.env(),
      ...env,
    });
    apps.push(app);
    api = app.api();
    chat = new ChatClient(api);
    sse = app.sse();
  };

  /** A session whose run waits for the answer to what the message asks. */
  async function parked(message: string, more: object = {}) {
    const sessionId = await chat.newSession({ tools: TOOLS });
    const { status, body } = await chat.send(sessionId, { message, ...more });
    expect({ status, run: body.run.status }).toEqual({ status: 202, run: 'waiting_input' });
    const open = (await chat.interactions(sessionId)).filter((one) => one.status === 'open').reverse();
    return { sessionId, runId: body.run.id as string, open, id: open[0].id as string };
  }

  /** The run's end is known before all that follows from it is written. */
  const closed = (sessionId: string, id: string, status: string) =>
    eventually(async () =>
      expect(await chat.interactions(sessionId)).toMatchObject([{ id, status, answeredBy: null }]),
    );

  beforeAll(() => fake.start());
  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await fake.close();
  });
  beforeEach(() => fake.reset());

  describe('while there is time', () => {
    beforeAll(() => use({}));

    it('[P5] park their run, and an answer sends it on, in one stream', async () => {
      const sessionId = await chat.newSession();
      const reading = sse.chat({ sessionId, message: '/say well\n/ask Which one?', tools: TOOLS });
      const [interaction] = await eventually(async () => {
        const found = await chat.interactions(sessionId);
        expect(found).toHaveLength(1);
        expect((await chat.run(found[0].runId)).body.status).toBe('waiting_input');
        return found;
      });
      expect(interaction).toEqual({
        id: expect.stringMatching(/^int_/) as string,
        runId: expect.stringMatching(/^run_/) as string,
        sessionId,
        kind: 'question',
        callId: expect.any(String) as string,
        prompt: 'Which one?',
        tool: null,
        schema: null,
        status: 'open',
        answeredBy: null,
        createdAt: expect.any(String) as string,
        expiresAt: expect.any(String) as string,
      });
      const answer = await chat.answer(sessionId, interaction.id, { value: 'the left one' });
      expect(answer).toMatchObject({ status: 200, body: { ...interaction, status: 'answered', answeredBy: 'local' } });
      const read = await reading;
      const part = ['part.started', 'part.delta', 'part.completed'];
      expect(typesOf(read)).toEqual([
        ...['run.created', 'run.started', 'step.started', ...part, ...part, 'step.completed'],
        ...['tool.requested', 'interaction.requested', 'run.parked'],
        ...['run.recovered', 'interaction.resolved', 'tool.completed'],
        ...['step.started', ...part, 'step.completed', 'session.updated', 'run.completed'],
      ]);
      const { callId, id: interactionId, expiresAt } = interaction;
      const question = { name: 'ask_user', arguments: { question: 'Which one?' }, effect: 'read' };
      expect(eventsOf(read, 'tool.requested')).toMatchObject([{ callId, ...question }]);
      expect(eventsOf(read, 'interaction.requested')).toMatchObject([{ interactionId, callId, expiresAt }]);
      expect(eventsOf(read, 'run.parked')).toMatchObject([{ interactions: [interactionId], expiresAt }]);
      expect(eventsOf(read, 'run.recovered')).toMatchObject([{ reason: 'resume', epoch: 2, fromStep: 2 }]);
      const resolved = { interactionId, outcome: 'answered', by: 'local' };
      expect(eventsOf(read, 'interaction.resolved')).toMatchObject([resolved]);
      expect(eventsOf(read, 'tool.completed')).toMatchObject([{ callId, ok: true, result: 'the left one' }]);
      await checkRun(api, [read], ['well', expect.stringContaining('answered: “the left one”')]);
    });

    it('take one answer, and only one', async () => {
      const { sessionId, runId, id } = await parked('/ask Which one?');
      const answers = await Promise.all(['a', 'b', 'c'].map((value) => chat.answer(sessionId, id, { value })));
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409]);
      await chat.runIs(runId, 'completed');
      const late = await chat.answer(sessionId, id, { value: 'd' });
      expect(late).toMatchObject({ status: 409, body: { code: 'interaction_closed', status: 409 } });
      const read = await sse.follow(runId);
      const value = ['a', 'b', 'c'][answers.findIndex(({ status }) => status === 200)];
      expect(eventsOf(read, 'tool.completed')).toMatchObject([{ result: value }]);
    });

    it('take only answers that fit, and say which part does not', async () => {
      const { sessionId, runId, id, open } = await parked(CHOICE);
      expect(open[0].schema).toEqual({ type: 'string', enum: ['left', 'right'] });
      const wrong: [object | string, string, string][] = [
        [{ value: 'up' }, 'answer_invalid', 'value'],
        [{ value: ['left'] }, 'answer_invalid', 'value'],
        [{}, 'answer_invalid', 'value'],
        [{ outcome: 'approved', value: 'left' }, 'answer_invalid', 'outcome'],
        [{ outcome: 'shrugged' }, 'validation_failed', 'outcome'],
        [{ value: 'left', by: 'somebody' }, 'validation_failed', 'by'],
        ['{"value":{"__proto__":{}}}', 'validation_failed', 'value.__proto__'],
      ];
      for (const [body, code, field] of wrong)
        expect(await chat.answer(sessionId, id, body as object)).toMatchObject({ status: 400, body: { code, field } });
      expect((await chat.run(runId)).body.status).toBe('waiting_input');
      expect((await chat.answer(sessionId, id, { value: 'right' })).status).toBe(200);
      await chat.runIs(runId, 'completed');
    });

    it('without choices take any text but none', async () => {
      const { sessionId, runId, id } = await parked('/ask Which one?');
      for (const value of ['', 7, null, { a: 1 }, 'x'.repeat(100_001)])
        expect(await chat.answer(sessionId, id, { value })).toMatchObject({ status: 400, body: { field: 'value' } });
      await chat.answer(sessionId, id, { value: '$where \u0000\n\ndata: {}' });
      await chat.runIs(runId, 'completed');
      await checkRun(api, [await sse.follow(runId)]);
    });

    it('may be left without an answer: the model hears that, and goes on', async () => {
      const { sessionId, runId, id } = await parked('/ask Which one?');
      expect(await chat.answer(sessionId, id, { outcome: 'cancelled' })).toMatchObject({ status: 200 });
      await chat.runIs(runId, 'completed');
      const read = await sse.follow(runId);
      expect(eventsOf(read, 'tool.completed')).toMatchObject([{ ok: false, error: { code: 'cancelled' } }]);
      expect(textOf(read)).toContain('ask_user failed');
    });

    it('of one step are waited for one after the other', async () => {
      const { sessionId, runId, open } = await parked(`/ask First?\n/tool nope\n${CHOICE}`);
      expect(open.map(({ prompt }) => prompt)).toEqual(['First?', 'Which?']);
      await chat.answer(sessionId, open[1].id, { value: 'left' });
      await eventually(async () => {
        const log = await api.all(`/api/v1/runs/${runId}/events?format=json&limit=1000`);
        expect(log.filter(({ type }) => type === 'run.parked')).toHaveLength(2);
      });
      expect((await chat.run(runId)).body.status).not.toBe('completed');
      await chat.answer(sessionId, open[0].id, { value: 'one' });
      await chat.runIs(runId, 'completed');
      const read = await sse.follow(runId);
      const ids = open.map(({ id }) => id);
      expect(eventsOf(read, 'run.parked').map(({ interactions }) => interactions)).toEqual([ids, [ids[0]]]);
      await checkRun(api, [read]);
      const results = (await chat.messages(sessionId)).find(({ role }) => role === 'tool').parts;
      expect(results.map(({ output }: { output: string }) => output)).toEqual([
        ...['one', 'There is no tool named "nope".', 'left'],
      ]);
    });

    it('are not made of arguments that do not do: the model hears why', async () => {
      const read = await sse.chat({ message: '/tool ask_user {"question":" "}\n/tool ask_user {"q":1}', tools: TOOLS });
      const failed = { ok: false, error: { code: 'invalid_arguments' } };
      expect(eventsOf(read, 'tool.completed')).toMatchObject([failed, failed]);
      expect(read.events.at(-1)!.type).toBe('run.completed');
      expect(await chat.interactions(sessionOf(read))).toEqual([]);
      fake.next({ tools: [{ name: 'ask_user', arguments: '{"question":"Wh' }] }, { text: 'sorry' });
      const cut = await sse.chat({ message: 'hi', tools: TOOLS, model: FAKE });
      expect(eventsOf(cut, 'tool.completed')).toMatchObject([failed]);
      await checkRun(api, [cut], ['', 'sorry']);
    });

    it('are found only in their own session', async () => {
      const { sessionId, runId, id } = await parked('/ask Which one?');
      const other = await chat.newSession();
      const nobody = 'int_01ARZ3NDEKTSV4RRFFQ69G5FAV';
      expect(await chat.answer(other, id, { value: 'a' })).toMatchObject({
        status: 404,
        body: { code: 'interaction_not_found' },
      });
      expect(await chat.answer(sessionId, nobody, { value: 'a' })).toMatchObject({ status: 404 });
      expect(await chat.answer(sessionId, 'int_1', { value: 'a' })).toMatchObject({
        status: 400,
        body: { field: 'interactionId' },
      });
      expect(await chat.interactions(other)).toEqual([]);
      const list = `/api/v1/sessions/${sessionId}/interactions`;
      const asRun = Buffer.from(JSON.stringify([runId])).toString('base64url');
      expect(await api.get(`${list}?cursor=${asRun}`)).toMatchObject({ status: 400, body: { field: 'cursor' } });
      await chat.cancel(runId);
    });

    it('end with their run when it is cancelled, and the conversation goes on', async () => {
      fake.next({ text: 'hm', tools: [{ name: 'ask_user', arguments: '{"question":"Why?"}' }] }, { text: 'fine' });
      const { sessionId, runId, id } = await parked('hi', { model: FAKE });
      // 200 where the run has let go already, 202 where it is about to.
      expect((await chat.cancel(runId)).status.toString()).toMatch(/^20[02]$/);
      await chat.runIs(runId, 'cancelled');
      await closed(sessionId, id, 'cancelled');
      expect(await chat.answer(sessionId, id, { value: 'late' })).toMatchObject({ status: 409 });
      const read = await sse.follow(runId);
      expect(typesOf(read).slice(-4)).toEqual([
        ...['run.parked', 'interaction.resolved', 'tool.completed', 'run.cancelled'],
      ]);
      await checkRun(api, [read], ['hm']);
      // The fake refuses calls without results.
      expect((await chat.send(sessionId, { message: 'on', model: FAKE })).body).toMatchObject({ text: 'fine' });
    });

    it('are no refuge from a cancel, however near it comes to the parking', async () => {
      // The thirteenth event is run.parked, or a later one is where a text came in several pieces.
      const runs = Array.from({ length: 11 }, async (_, index) => {
        const read = await sse.chat({ message: '/say well\n/ask Which one?', tools: TOOLS }, { cutAfter: 3 + index });
        await chat.cancel(read.runId);
        await sse.follow(read);
        expect(read.events.at(-1)!.type).toBe('run.cancelled');
        await checkRun(api, [read]);
        await eventually(async () => {
          const found = await chat.interactions(sessionOf(read));
          expect(found.filter(({ status }) => status !== 'cancelled')).toEqual([]);
        });
      });
      await Promise.all(runs);
    });

    it('keep later messages in line, to be answered after', async () => {
      const { sessionId, runId, id } = await parked('/ask Which one?');
      const reading = sse.chat({ sessionId, message: '/say second' });
      const runs = `/api/v1/sessions/${sessionId}/runs`;
      await eventually(async () => expect((await api.get(runs)).body.items).toHaveLength(2));
      const steer = await chat.begin(sessionId, { message: '/say third', onBusy: 'steer' });
      expect(steer).not.toBe(runId);
      expect((await chat.run(steer)).body).toMatchObject({ status: 'queued' });
      expect((await chat.session(sessionId)).body.activeRun).toEqual({ id: runId });
      const refused = await chat.send(sessionId, { message: 'x', onBusy: 'reject' });
      expect(refused).toMatchObject({ status: 409, body: { code: 'session_busy', activeRun: { id: runId } } });
      await chat.answer(sessionId, id, { value: 'first' });
      const second = await reading;
      await chat.runIs(steer, 'completed');
      await checkRun(api, [second]);
      const said = (await chat.messages(sessionId)).filter(({ role }) => role === 'user');
      expect(said.map(({ parts }) => parts[0].text)).toEqual(['/ask Which one?', '/say second', '/say third']);
      expect((await chat.run(runId)).body.status).toBe('completed');
    });

    it('give way to a message that interrupts', async () => {
      const { sessionId, runId, id } = await parked('/ask Which one?');
      const waiting = await chat.begin(sessionId, { message: '/say later' });
      const { body } = await chat.send(sessionId, { message: '/say instead', onBusy: 'interrupt' });
      expect(body).toMatchObject({ text: 'instead', run: { status: 'completed' } });
      expect((await chat.run(runId)).body).toMatchObject({ status: 'cancelled', cancelled: { reason: 'superseded' } });
      expect(await chat.interactions(sessionId)).toMatchObject([{ id, status: 'cancelled' }]);
      await chat.runIs(waiting, 'completed');
      const answered = (await chat.messages(sessionId)).filter(({ role }) => role === 'user');
      expect(answered.map(({ parts }) => parts[0].text).slice(1)).toEqual(['/say instead', '/say later']);
    });
  });

  describe('whose time is over', () => {
    beforeAll(() => use({ RUN_PARK_MS: '150' }));

    it('fail their run, are closed, and the conversation goes on', async () => {
      fake.next({ text: 'hm', tools: [{ name: 'ask_user', arguments: '{"question":"Why?"}' }] }, { text: 'fine' });
      const { sessionId, runId, id } = await parked('hi', { model: FAKE });
      const run = await chat.runIs(runId, 'failed');
      expect(run.error).toMatchObject({ code: 'interaction_expired', retryable: true });
      expect(run.error.message).toContain('RUN_PARK_MS');
      await closed(sessionId, id, 'expired');
      expect(await chat.answer(sessionId, id, { value: 'late' })).toMatchObject({ status: 409 });
      const read = await sse.follow(runId);
      expect(eventsOf(read, 'interaction.resolved')).toMatchObject([{ outcome: 'expired', by: 'system' }]);
      await checkRun(api, [read], ['hm']);
      expect((await chat.send(sessionId, { message: 'on', model: FAKE })).body).toMatchObject({ text: 'fine' });
    });
  });
});
