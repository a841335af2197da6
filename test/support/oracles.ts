import { createHash } from 'node:crypto';
import { isTerminal, type RunEvent } from '@scorpio/events';
import type { ApiClient } from './api-client';
import { ReceivedEvent, type RunRead } from './sse-reader';

type Seen = Pick<ReceivedEvent, 'seq' | 'type' | 'data'>;

/** O1: over all its connections, before any clean-up, a client got 1..N, each once, and nothing was amiss on the wire. */
export function everySeqOnce(read: RunRead): void {
  expect(read.faults).toEqual([]);
  expect(read.events.map(({ seq }) => seq)).toEqual(read.events.map((_event, index) => index + 1));
}

/** SHA-256 over (seq, type, data). */
export function digest(events: Seen[]): string {
  const hash = createHash('sha256');
  for (const { seq, type, data } of events) hash.update(`${seq}\0${type}\0${data}\0`);
  return hash.digest('hex');
}

/** The log as a script reads it: `?format=json`, page by page. */
export async function replay(api: ApiClient, runId: string): Promise<Seen[]> {
  const events = await api.all<RunEvent>(`/api/v1/runs/${runId}/events?format=json&limit=1000`, 'after');
  return events.map((event) => ({ seq: event.seq, type: event.type, data: JSON.stringify(event) }));
}

/** O2: all clients and a fresh replay have the same bytes. */
export function sameBytes(...copies: Seen[][]): void {
  const [first, ...others] = copies.map((events) => `${events.length} events, ${digest(events)}`);
  for (const other of others) expect(other).toBe(first);
}

export interface FoldedStep {
  step: number;
  text: string;
  reasoning: string;
  /** Arguments of the tool calls, as JSON text by call. */
  calls: Record<string, string>;
}

/** What the log says was answered: parts of a step that was reset are dropped, and offsets, lengths and hashes must agree. */
export function fold(events: RunEvent[]): FoldedStep[] {
  const parts = new Map<number, { step: number; kind: string; callId?: string; text: string }>();
  for (const event of events) {
    if (event.type === 'part.started') parts.set(event.part, { ...event, text: '' });
    else if (event.type === 'step.reset') {
      for (const [part, { step }] of parts) if (step === event.step) parts.delete(part);
    } else if (event.type === 'part.delta') {
      const part = parts.get(event.part);
      expect(part && { offset: part.text.length, at: event.seq }).toEqual({ offset: event.offset, at: event.seq });
      part!.text += event.text;
    } else if (event.type === 'part.completed') {
      const text = parts.get(event.part)?.text ?? '';
      const sha256 = createHash('sha256').update(text).digest('hex');
      expect({ chars: text.length, sha256 }).toEqual({ chars: event.chars, sha256: event.sha256 });
    }
  }
  const steps = new Map<number, FoldedStep>();
  for (const { step, kind, callId, text } of parts.values()) {
    const folded = steps.get(step) ?? { step, text: '', reasoning: '', calls: {} };
    if (kind === 'tool_input') folded.calls[callId!] = text;
    else folded[kind as 'text' | 'reasoning'] += text;
    steps.set(step, folded);
  }
  return [...steps.values()].sort((a, b) => a.step - b.step);
}

interface StoredMessage {
  id: string;
  runId: string;
  role: string;
  parts: { type: string; text?: string }[];
}

/**
 * O3: the folded log is what the model was told to say, step by step, and what the conversation holds; and that has of the
 * run just the messages which its last event names.
 */
export function saysAsStored(events: RunEvent[], messages: StoredMessage[], script?: string[]): void {
  const said = fold(events).map(({ text }) => text);
  const runId = events[0]?.runId;
  const own = messages.filter((message) => message.runId === runId);
  const { messages: named } = events.at(-1) as Extract<RunEvent, { messages: string[] }>;
  expect({ runId, kept: own.map(({ id }) => id) }).toEqual({ runId, kept: named });
  const stored = own
    .filter(({ role }) => role === 'assistant')
    .map(({ parts }) => parts.map(({ type, text }) => (type === 'text' ? text : '')).join(''));
  expect({ runId, stored }).toEqual({ runId, stored: said });
  if (script) expect({ runId, said }).toEqual({ runId, said: script });
}

/** O4: exactly one terminal event, the last one, and the run says the same. */
export function oneTerminal(events: Seen[], status: string): void {
  const terminals = events.filter(({ type }) => isTerminal(type));
  expect(terminals.map(({ seq, type }) => [seq, type])).toEqual([[events.length, `run.${status}`]]);
}

/** All messages of a session, in order; their pages begin with the newest. */
async function conversation(api: ApiClient, sessionId: string): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = [];
  let before: string | null = null;
  do {
    const query: string = before ? `&before=${encodeURIComponent(before)}` : '';
    const { body } = await api.get<{ items: StoredMessage[]; previousCursor: string | null }>(
      `/api/v1/sessions/${sessionId}/messages?limit=100${query}`,
    );
    messages.unshift(...body.items);
    before = body.previousCursor;
  } while (before);
  return messages;
}

/**
 * O1 to O4 on one ended run.
 * @param reads what its clients saw, each from the start to the end
 * @param script the text of each step's last attempt, where the model was told it
 */
export async function checkRun(api: ApiClient, reads: RunRead[], script?: string[]): Promise<void> {
  const { runId } = reads[0];
  const { body: run } = await api.get<{ sessionId: string; status: string }>(`/api/v1/runs/${runId}`);
  const log = await replay(api, runId);
  for (const read of reads) everySeqOnce(read);
  sameBytes(log, ...reads.map(({ events }) => events));
  oneTerminal(log, run.status);
  const messages = await conversation(api, run.sessionId);
  saysAsStored(
    log.map(({ data }) => JSON.parse(data) as RunEvent),
    messages,
    script,
  );
}

/**
 * O5: no unsafe call took effect twice, and no call of any kind under two keys. Not for calls that people had made again.
 * @param ledger tells the keys by which the tools outside were called
 */
export function effectsOnce(events: RunEvent[], ledger: { keys(tool: 'charge' | 'put' | 'look'): string[] }): void {
  const keyOf = new Map<string, Set<string>>();
  for (const event of events)
    if (event.type === 'tool.started') keyOf.set(event.callId, (keyOf.get(event.callId) ?? new Set()).add(event.key));
  for (const keys of keyOf.values()) expect(keys.size).toBe(1);
  const charged = ledger.keys('charge');
  expect(charged).toEqual([...new Set(charged)]);
  const known = new Set([...keyOf.values()].flatMap((keys) => [...keys]));
  const seen = [...charged, ...ledger.keys('put'), ...ledger.keys('look')];
  expect(seen.filter((key) => !known.has(key))).toEqual([]);
}
