import type { AgentTool } from '@scorpio/agent';
import type { JsonObject } from '@scorpio/kernel';

/** Lets the model ask the user something; the run waits for the answer. */
export const askUser: AgentTool = {
  name: 'ask_user',
  description: 'Ask the user one question and wait for the answer. Use it when you cannot go on without knowing.',
  source: 'builtin',
  effect: 'read',
  inputSchema: {
    type: 'object',
    properties: {
      question: { type: 'string', minLength: 1, maxLength: 4000, description: 'The question, complete in itself.' },
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
    if (typeof question !== 'string' || question.trim() === '' || question.length > 4000)
      throw new Error('question must be text of 1 to 4000 characters.');
    if (options === undefined || options === null) return { prompt: question };
    if (!Array.isArray(options) || options.length < 2 || options.length > 20 || !options.every(isOption))
      throw new Error('options must be 2 to 20 texts of 1 to 200 characters.');
    return { prompt: question, schema: { type: 'string', enum: options } };
  },
};

const isOption = (option: unknown): boolean => typeof option === 'string' && option !== '' && option.length <= 200;
