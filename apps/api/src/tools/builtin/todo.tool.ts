import type { WorkingTool } from '@scorpio/agent';
import type { TodoRepository } from '../todo.repository';
import type { TodoItem } from '../todo.schema';
import { sessionOf } from './session-files';

const MARKS = { pending: '[ ]', in_progress: '[>]', done: '[x]' } as const;

/** The model's own list of what is left to do in a session. */
export const todo = (todos: TodoRepository): WorkingTool => ({
  name: 'todo',
  description: 'Keep a list of the steps of a longer task. Give the whole list to replace it; give nothing to read it.',
  source: 'builtin',
  effect: 'idempotent',
  resource: () => 'todo',
  inputSchema: {
    type: 'object',
    properties: {
      items: {
        type: 'array',
        maxItems: 100,
        items: {
          type: 'object',
          properties: {
            text: { type: 'string', minLength: 1, maxLength: 500 },
            status: { type: 'string', enum: Object.keys(MARKS) },
          },
          required: ['text', 'status'],
          additionalProperties: false,
        },
      },
    },
    additionalProperties: false,
  },
  async execute({ items }, context) {
    const sessionId = sessionOf(context);
    const list = items as unknown as TodoItem[] | undefined;
    if (list) await todos.put(context.owner, sessionId, list);
    const now = list ?? (await todos.get(context.owner, sessionId));
    const lines = now.map(({ text, status }) => `${MARKS[status]} ${text}`);
    return { content: lines.join('\n') || 'The list is empty.', details: { items: now.map((item) => ({ ...item })) } };
  },
});
