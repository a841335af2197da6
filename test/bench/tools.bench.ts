import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Child } from './child';
import { NOTES, WORDS } from './material';
import type { Rig } from './rig';
import { median, percentile, spread } from './statistics';
import { sample, type Sample } from './streams.bench';
import { folder, type Target } from './targets';
import type { Row } from './report';

const MODEL = 'tools-8-3';
const TOKENS = 8;
/** One client; each of its conversations has five turns. */
const CONVERSATIONS = 10;
const TURNS = 50;

/** Turns of one client in new conversations, in which the model reads three lines of a file before it answers. */
export async function toolTurns(rig: Rig, target: Target): Promise<Sample> {
  const ask = async <Body>(path: string, body: object): Promise<Body> => {
    const headers = { authorization: `Bearer ${target.load.key}`, 'content-type': 'application/json' };
    const answer = await fetch(`${target.url}/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as Body;
  };
  const sessions: string[] = [];
  while (sessions.length < CONVERSATIONS) {
    const { id: sessionId } = await ask<{ id: string }>('sessions', { tools: ['read_file'] });
    await ask('files/write', { sessionId, path: NOTES.path, content: NOTES.text });
    sessions.push(sessionId);
  }
  const load = { model: MODEL, tokens: TOKENS, clients: 1, turns: TURNS, conversations: CONVERSATIONS, sessions };
  return sample(rig, target, { ...target.load, ...load });
}

/** A turn with three tool calls, all of it stored, against the same by the bare `openai` SDK in memory, in turns. */
export async function measureTools(rig: Rig, scorpio: Target): Promise<Row[]> {
  const dir = folder();
  writeFileSync(join(dir, NOTES.path), NOTES.text);
  const loop = Child.helper('tool-loop');
  const given = {
    baseUrl: `http://127.0.0.1:${rig.port}/v1`,
    model: MODEL,
    message: WORDS,
    dir,
    turns: TURNS,
    conversations: CONVERSATIONS,
  };
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = -1; round < rig.options.rounds; round++) {
    const { turnP50 } = await toolTurns(rig, scorpio);
    const alone = percentile(await loop.ask<number[]>('turns', given), 0.5);
    // The first round warms up.
    if (round < 0) continue;
    ours.push(turnP50);
    bare.push(alone);
  }
  await loop.stop();
  return [
    {
      measure: '6 A turn with 3 tool calls, p50',
      store: scorpio.name,
      value: `${median(ours).toFixed(1)} ms`,
      base: `${median(bare).toFixed(1)} ms openai SDK`,
      score: spread(ours.map((took, index) => took / bare[index])),
      goal: scorpio.name === 'wire' ? undefined : 2,
    },
  ];
}
