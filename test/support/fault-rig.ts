import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from './api-client';
import type { FakeLlm } from './fake-llm';

/** Model names of a server with {@link fakeModels}: the same fake by its two wire forms. */
export const CHAT = 'fake/model';
export const RESPONSES = 'openai/gpt-6-luna';

/** Settings of a server whose models are the fake's: an endpoint that speaks Chat Completions, and OpenAI's Responses. */
export const fakeModels = (url: string, apiKey = 'a-key-of-the-tests'): Record<string, string> => ({
  LLM_ENDPOINTS: JSON.stringify([{ name: 'fake', baseUrl: url, apiKey, models: ['model'] }]),
  OPENAI_BASE_URL: url,
  OPENAI_API_KEY: apiKey,
  DEFAULT_MODEL: CHAT,
});

/** Short leases and frequent looks: what takes seconds in service takes moments here. */
export const FAST: Record<string, string> = { RUN_LEASE_MS: '1500', SWEEP_INTERVAL_MS: '100', LOG_LEVEL: 'warn' };

const LIMIT_MS = 20_000;
const POLL_MS = 15;

/** Looks until there is something. @throws when there is nothing in time */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = LIMIT_MS,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as Exclude<T, undefined | null | false>;
    if (Date.now() > deadline) throw new Error(`Not in ${limitMs} ms: ${what}`);
    await pause(POLL_MS);
  }
}

/** What tests read of a run. */
export interface SeenRun {
  id: string;
  sessionId: string;
  status: string;
  error: { code: string; message: string; retryable: boolean } | null;
  cancelled: { reason: string } | null;
  usage: { outputTokens: number };
}

const ENDED = ['completed', 'failed', 'cancelled'];

export async function newSession(api: ApiClient, body: object = {}): Promise<string> {
  const made = await api.post<{ id: string }>('/api/v1/sessions', body);
  expect(made).toMatchObject({ status: 201 });
  return made.body.id;
}

/** Sends a message without waiting for its answer. */
export const send = (api: ApiClient, sessionId: string, body: object, headers: Record<string, string> = {}) =>
  api.post<SeenRun & { code?: string }>(`/api/v1/chat/${sessionId}/message`, body, {
    prefer: 'respond-async',
    ...headers,
  });

/** Sends a message that must be taken. @returns its run */
export async function sent(api: ApiClient, sessionId: string, body: object): Promise<SeenRun> {
  const answer = await send(api, sessionId, body);
  expect(answer).toMatchObject({ status: 202 });
  return answer.body;
}

export async function getRun(api: ApiClient, runId: string): Promise<SeenRun> {
  return (await api.get<SeenRun>(`/api/v1/runs/${runId}`)).body;
}

/** Waits for the run to be over, or to be in the given status. */
export const runIn = (api: ApiClient, runId: string, ...statuses: string[]): Promise<SeenRun> =>
  until(`run ${runId} is ${statuses.join(' or ') || 'over'}`, async () => {
    const run = await getRun(api, runId);
    return (statuses.length ? statuses : ENDED).includes(run.status) ? run : undefined;
  });

/** Waits until so many of the run's events are stored. */
export const eventsStored = (api: ApiClient, runId: string, count: number): Promise<unknown> =>
  until(`${count} events of ${runId}`, async () => {
    const { body } = await api.get<{ items: unknown[] }>(
      `/api/v1/runs/${runId}/events?format=json&limit=1&after=${count - 1}`,
    );
    return body.items?.length > 0;
  });

/** Does something so often, so many at a time. */
export async function beside(count: number, atOnce: number, one: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

/** Requests for this message, in their order. */
export const asked = (fake: FakeLlm, message: string) => fake.requests.filter((request) => request.message === message);

/** Open file descriptors of a process: sockets that stay show here. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
