import type { AskingTool } from '@scorpio/agent';
import type { JsonObject } from '@scorpio/kernel';

/** Lets the model ask the user something; the run waits for the answer. */
export const askUser: AskingTool = {
  name: 'ask_user',
  description: 'Ask the user one question and wait for the answer. Use it when you cannot go on without knowing.',
  source: 'builtin',
  effect: 'read',
  asks: 'question',
  inputSchema: {
    type: 'object',
    properties: {
      question: {
        type: 'string',
        minLength: 1,
        maxLength: 4000,
        pattern: '\\S',
        description: 'The question, complete in itself.',
      },
      options: {
        type: 'array',
        items: { type: 'string', minLength: 1, maxLength: 200 },
        minItems: 2,
        maxItems: 20,
        description: 'Answers to choose from; without them the answer is free text.',
      },
    },
    required: ['question'],
    additionalProperties: false,
  },
  question({ question, options }: JsonObject) {
    return { prompt: question as string, ...(options && { schema: { type: 'string', enum: options } }) };
  },
};
