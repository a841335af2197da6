import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RunEvent } from '@scorpio/events';
import { ApiClient } from '../support/api-client';
import { ChatClient } from '../support/chat-client';
import { EffectLedger } from '../support/effect-ledger';
import { FakeLlm } from '../support/fake-llm';
import { FAST, fakeModels, until } from '../support/fault-rig';
import { checkRun, effectsOnce } from '../support/oracles';
import { eventsOf } from '../support/run-reads';
import { ServerProcess } from '../support/server-process';
import { SseReader } from '../support/sse-reader';
import { tempDir } from '../support/temp-dir';

interface Plant {
  find: string;
  replace: string;
}

/** A call whose beginning nobody waits for to be stored. */
const NO_WRITE_AHEAD: Plant = { find: 'await this.control.durable();', replace: '' };
const PRELOAD = `--require ${resolve(__dirname, '../support/planted-server.cjs')}`;
const CALLS = 3;
const CHARGES = `Charge. ${Array.from({ length: CALLS }, (_, n) => `[[tool=ledger__charge {"n":${n}}]]`).join(' ')}`;
/** So often is the record tried in vain: time enough for a call that would not wait for it. */
const TRIES = 4;

jest.setTimeout(120_000);

/**
 * The server as it is, or with a fault in its runner of tools, dies while the store takes no record of calls that begin.
 * The oracles must tell one from the other, or they would prove nothing.
 */
describe('a server that dies before the record of its calls is stored', () => {
  const fake = new FakeLlm();
  let ledger: EffectLedger;
  let server: ServerProcess | undefined;

  beforeAll(async () => {
    await fake.start();
    ledger = await EffectLedger.start();
  });
  beforeEach(() => ledger.reset());
  afterEach(() => server?.close());
  afterAll(async () => {
    await ledger?.close();
    await fake.close();
  });

  /** A run whose server dies at its calls of `charge`, and whose next start finishes it. @returns its events */
  async function die(plant?: Plant): Promise<RunEvent[]> {
    const refusals = join(tempDir(), 'refusals');
    writeFileSync(refusals, '');
    server = await ServerProcess.start({
      ...fakeModels(fake.url),
      ...FAST,
      ...ledger.env(),
      NODE_OPTIONS: PRELOAD,
      WITHHOLD: refusals,
      ...(plant && { PLANT: JSON.stringify(plant) }),
    });
    const api = new ApiClient(server.url);
    const chat = new ChatClient(api);
    await until('the ledger is connected', async () => {
      const { body } = await api.get('/api/v1/tools/list');
      return body.items.some(({ name, available }: any) => name === 'ledger__charge' && available);
    });
    const runId = await chat.begin(await chat.newSession({ tools: ledger.tools }), { message: CHARGES });
    await until('the record was tried', () => readFileSync(refusals, 'utf8').split(runId).length > TRIES);
    await server.kill();
    rmSync(refusals);
    await server.restart();
    const read = await new SseReader(server.url).follow(runId);
    await checkRun(api, [read]);
    expect(eventsOf(read).at(-1)!.type).toBe('run.completed');
    return eventsOf(read);
  }

  it('made none: its next start makes them, and the effect ledger agrees', async () => {
    effectsOnce(await die(), ledger);
    expect(ledger.count('charge')).toBe(CALLS);
  });

  it('had made them, were there no write-ahead, and the effect ledger shows it by each', async () => {
    const events = await die(NO_WRITE_AHEAD);
    const calls = events.filter((event) => event.type === 'tool.started');
    expect(calls).toHaveLength(CALLS);
    for (const { key } of calls) {
      const ofCall = { keys: (tool: 'charge' | 'put' | 'look') => ledger.keys(tool).filter((one) => one === key) };
      expect(ofCall.keys('charge')).toHaveLength(2);
      expect(() => effectsOnce(events, ofCall)).toThrow();
    }
  });

  it('cannot have a fault whose place in the source is gone', async () => {
    const plant: Plant = { find: 'no such place', replace: '' };
    server = await ServerProcess.launch({ NODE_OPTIONS: PRELOAD, PLANT: JSON.stringify(plant) });
    expect(await server.exited).toMatchObject({ code: 1 });
    expect(server.output).toContain('fits 0 places');
  });
});
