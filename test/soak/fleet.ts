import { setTimeout as pause } from 'node:timers/promises';
import { ChaosProxy } from '../support/chaos-proxy';
import { FakeLlm } from '../support/fake-llm';
import { FAST, fakeModels } from '../support/fault-rig';
import type { SeededRandom } from '../support/seeded-random';
import { ServerProcess } from '../support/server-process';
import type { StoreVariant } from '../support/stores';

/** Short, so that silence of the model is over soon; more tries, since many calls meet a fault. */
const SETTINGS = {
  ...FAST,
  LLM_CONNECT_TIMEOUT_MS: '3000',
  LLM_FIRST_BYTE_TIMEOUT_MS: '3000',
  LLM_IDLE_TIMEOUT_MS: '3000',
  LLM_MAX_ATTEMPTS: '10',
  SSE_HEARTBEAT_MS: '2000',
  SHUTDOWN_GRACE_MS: '500',
  MAX_STREAMS: '0',
  LOG_LEVEL: 'error',
};

const STARTS = 5;

/** A server, the way to it, and its way to the store where there is one. */
interface Replica {
  server: ServerProcess;
  door: ChaosProxy;
  store?: ChaosProxy;
  /** Whether a fault of the process itself is under way. */
  busy: boolean;
}

/** The servers of a soak, the model they ask, and a proxy that breaks connections on every way between them. */
export class Fleet {
  /** Faults so far, by what they were. */
  readonly injected: Record<string, number> = {};

  private constructor(
    readonly fake: FakeLlm,
    private readonly model: ChaosProxy,
    private readonly replicas: Replica[],
  ) {}

  /** One server on the embedded store, which is all it takes; two over the wire. */
  static async start(store: StoreVariant): Promise<Fleet> {
    const fake = await new FakeLlm().start();
    const model = await ChaosProxy.start(fake.origin);
    const shared = { ...fakeModels(`${model.url}/v1`), ...SETTINGS, ...store.env() };
    const count = store.name === 'embedded' ? 1 : 2;
    const replicas = await Promise.all(Array.from({ length: count }, () => startReplica(shared)));
    return new Fleet(fake, model, replicas);
  }

  get servers(): ServerProcess[] {
    return this.replicas.map(({ server }) => server);
  }

  /** Address of one of the servers, through the proxy that breaks connections or past it. */
  address(random: SeededRandom, way: 'through' | 'past'): string {
    const { door, server } = random.pick(this.replicas);
    return way === 'through' ? door.url : server.url;
  }

  /** Connections that were cut at some byte, on all ways. */
  get cuts(): number {
    return this.replicas.reduce((sum, { door, store }) => sum + door.counts.cuts + (store?.counts.cuts ?? 0), 0);
  }

  /** What the servers have logged of any of these ids. */
  logged(ids: string[]): string[] {
    const lines = this.servers.flatMap(({ output }) => output.split('\n'));
    return lines.filter((line) => ids.some((id) => line.includes(id)));
  }

  /** Does something bad to one of the servers or its connections, and mends it. Resolves once it is mended. */
  async harm(random: SeededRandom): Promise<void> {
    const replica = random.pick(this.replicas);
    const possible = FAULTS.filter(({ on }) => (on === 'store' ? replica.store : !(on === 'process' && replica.busy)));
    const { name, on, inject } = random.pick(possible.flatMap((fault) => Array<Fault>(fault.weight).fill(fault)));
    this.injected[name] = (this.injected[name] ?? 0) + 1;
    if (on === 'process') replica.busy = true;
    try {
      await inject({ ...replica, model: this.model }, random);
    } finally {
      if (on === 'process') replica.busy = false;
    }
  }

  async close(): Promise<void> {
    for (const { server, door, store } of this.replicas) {
      await server.close();
      await Promise.all([door.close(), store?.close()]);
    }
    await this.model.close();
    await this.fake.close();
  }
}

async function startReplica({ MONGODB_URL, ...env }: Record<string, string>): Promise<Replica> {
  if (!MONGODB_URL) return open(await ServerProcess.start(env));
  const store = await ChaosProxy.start(MONGODB_URL);
  const url = new URL(MONGODB_URL);
  url.host = `127.0.0.1:${store.port}`;
  return open(await ServerProcess.start({ ...env, MONGODB_URL: url.href }), store);
}

const open = async (server: ServerProcess, store?: ChaosProxy): Promise<Replica> => ({
  server,
  door: await ChaosProxy.start(server.url),
  ...(store && { store }),
  busy: false,
});

/** The connections of the next moments are cut, or closed in one direction, wherever they then are. */
async function breakNext(proxy: ChaosProxy, random: SeededRandom): Promise<void> {
  proxy.faults = () => {
    const at = random.between(200, 20_000);
    return { down: random.chance(0.5) ? { cutAfter: at } : { halfCloseAfter: at } };
  };
  await pause(random.between(500, 2_000));
  proxy.admit();
}

async function blackHole(proxy: ChaosProxy, random: SeededRandom): Promise<void> {
  proxy.hold();
  await pause(random.between(100, 3_000));
  if (random.chance(0.3)) proxy.cutAll();
  proxy.release();
}

async function slowDown(proxy: ChaosProxy, random: SeededRandom): Promise<void> {
  proxy.faults = () => ({ down: { delayMs: 30, bytesPerSecond: 20_000 }, up: { delayMs: 30 } });
  await pause(random.between(500, 2_000));
  proxy.admit();
}

async function cutSome(proxy: ChaosProxy, random: SeededRandom): Promise<void> {
  const share = random.pick([0.1, 0.3, 1]);
  proxy.cutAll(() => random.chance(share));
}

/** A start that meets a store which breaks off ends, for its supervisor to try again. */
async function startAgain({ server, store }: Replica, signal: NodeJS.Signals): Promise<void> {
  await server.kill(signal);
  for (let tries = store ? STARTS : 1; ; tries -= 1)
    try {
      return await server.restart();
    } catch (error) {
      if (tries <= 1) throw error;
    }
}

async function freeze({ pid }: ServerProcess, random: SeededRandom): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await pause(random.between(100, 4_000));
  process.kill(pid, 'SIGCONT');
}

interface Fault {
  name: string;
  /** How often it is chosen, compared with the others. */
  weight: number;
  /** A process has one fault at a time. */
  on: 'process' | 'clients' | 'model' | 'store';
  inject(at: Replica & { model: ChaosProxy }, random: SeededRandom): Promise<void>;
}

const FAULTS: Fault[] = [
  { name: 'kill -9', weight: 2, on: 'process', inject: (at) => startAgain(at, 'SIGKILL') },
  { name: 'SIGTERM', weight: 1, on: 'process', inject: (at) => startAgain(at, 'SIGTERM') },
  { name: 'SIGSTOP and SIGCONT', weight: 2, on: 'process', inject: ({ server }, random) => freeze(server, random) },
  { name: 'clients cut', weight: 4, on: 'clients', inject: ({ door }, random) => cutSome(door, random) },
  { name: 'clients cut at a byte', weight: 4, on: 'clients', inject: ({ door }, random) => breakNext(door, random) },
  { name: 'clients in a black hole', weight: 2, on: 'clients', inject: ({ door }, random) => blackHole(door, random) },
  { name: 'clients slow', weight: 2, on: 'clients', inject: ({ door }, random) => slowDown(door, random) },
  { name: 'model cut', weight: 3, on: 'model', inject: ({ model }, random) => cutSome(model, random) },
  { name: 'model cut at a byte', weight: 2, on: 'model', inject: ({ model }, random) => breakNext(model, random) },
  { name: 'model in a black hole', weight: 1, on: 'model', inject: ({ model }, random) => blackHole(model, random) },
  { name: 'model slow', weight: 2, on: 'model', inject: ({ model }, random) => slowDown(model, random) },
  { name: 'store cut', weight: 4, on: 'store', inject: ({ store }, random) => cutSome(store!, random) },
  { name: 'store in a black hole', weight: 4, on: 'store', inject: ({ store }, random) => blackHole(store!, random) },
];
