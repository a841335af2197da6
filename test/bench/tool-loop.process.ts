import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { ChatCompletionMessageFunctionToolCall, ChatCompletionMessageParam } from 'openai/resources/chat';
import { answers } from './answers';

/** Turns with tool calls by the vendor's SDK alone. */
export interface ToolLoop {
  /** Of the model server, with its `/v1`. */
  baseUrl: string;
  model: string;
  /** The user's words. */
  message: string;
  /** Where the files are that the tool reads. */
  dir: string;
  turns: number;
  conversations: number;
}

const READ_FILE = {
  type: 'function' as const,
  function: {
    name: 'read_file',
    description: 'Read some lines of a file.',
    parameters: {
      type: 'object',
      properties: { path: { type: 'string' }, startLine: { type: 'integer' }, lineCount: { type: 'integer' } },
      required: ['path'],
    },
  },
};

async function readLines(dir: string, input: string): Promise<string> {
  const { path, startLine, lineCount } = JSON.parse(input) as { path: string; startLine: number; lineCount: number };
  const lines = (await readFile(join(dir, path), 'utf8')).split('\n');
  return lines.slice(startLine - 1, startLine - 1 + lineCount).join('\n');
}

/** One call of the model: its text and what it asks for, put together from the stream. */
async function step(client: OpenAI, model: string, messages: ChatCompletionMessageParam[]) {
  const stream = await client.chat.completions.create({ model, messages, tools: [READ_FILE], stream: true });
  let content = '';
  const calls: ChatCompletionMessageFunctionToolCall[] = [];
  for await (const { choices } of stream) {
    const delta = choices[0]?.delta;
    content += delta?.content ?? '';
    for (const { index, id, function: named } of delta?.tool_calls ?? []) {
      calls[index] ??= { id: id ?? '', type: 'function', function: { name: named?.name ?? '', arguments: '' } };
      calls[index].function.arguments += named?.arguments ?? '';
    }
  }
  return { content, calls };
}

async function turn(client: OpenAI, { model, message, dir }: ToolLoop, messages: ChatCompletionMessageParam[]) {
  messages.push({ role: 'user', content: message });
  for (;;) {
    const { content, calls } = await step(client, model, messages);
    if (!calls.length) return void messages.push({ role: 'assistant', content });
    messages.push({ role: 'assistant', content: content || null, tool_calls: calls });
    for (const { id, function: asked } of calls)
      messages.push({ role: 'tool', tool_call_id: id, content: await readLines(dir, asked.arguments) });
  }
}

answers({
  /** @returns milliseconds of each turn */
  turns: async (loop: ToolLoop): Promise<number[]> => {
    const client = new OpenAI({ baseURL: loop.baseUrl, apiKey: 'none', maxRetries: 0 });
    const conversations = Array.from({ length: loop.conversations }, (): ChatCompletionMessageParam[] => []);
    const times: number[] = [];
    for (let n = 0; n < loop.turns; n++) {
      const begun = performance.now();
      await turn(client, loop, conversations[n % loop.conversations]);
      times.push(performance.now() - begun);
    }
    return times;
  },
});
