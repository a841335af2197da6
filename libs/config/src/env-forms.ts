import { isIP } from 'node:net';
import { z } from 'zod';

// The forms that settings take, from their text to their value.

export const flag = (value: boolean) =>
  z
    .enum(['true', 'false', '1', '0'])
    .transform((text) => text === 'true' || text === '1')
    .default(value);
export const whole = (value: number, min = 0, max = Number.MAX_SAFE_INTEGER) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .default(value);
export const decimal = (value: number) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, 'must be a number such as 0 or 2.5')
    .transform(Number)
    .default(value);
export const list = (value: string[]) =>
  z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    )
    .default(value);
export const url = (protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL beginning with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  });
export const http = url(['http:', 'https:']);
export const proxies = z
  .string()
  .default('')
  .refine((text) => /^\d*$/.test(text) || text.split(',').every((item) => isProxy(item.trim())), {
    message: 'must be a number of hops, or addresses and networks separated by commas',
  });
const isProxy = (item: string): boolean => {
  const [address = '', bits, ...rest] = item.split('/');
  const most = isIP(address) === 4 ? 32 : 128;
  const network = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
  return ['loopback', 'linklocal', 'uniquelocal'].includes(item) || (isIP(address) > 0 && network && !rest.length);
};

/** A value as JSON text. @param example told to whoever writes something else */
const json = (example: string) =>
  z.string().transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue({ code: 'custom', message: `must be JSON: ${example}` });
      return z.NEVER;
    }
  });

/** One OpenAI-compatible endpoint of `LLM_ENDPOINTS`. */
export const llmEndpoint = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, 'must be lower-case letters, digits and dashes'),
  baseUrl: http,
  apiKey: z.string().min(1).optional(),
  /** Which wire form it speaks. */
  api: z.enum(['chat', 'responses']).default('chat'),
  /** Names to offer; asked from the endpoint when absent. */
  models: z.array(z.string().min(1)).optional(),
});
export type LlmEndpoint = z.infer<typeof llmEndpoint>;

export const endpoints = json('[{"name":"ollama","baseUrl":"http://127.0.0.1:11434/v1"}]')
  .pipe(z.array(llmEndpoint))
  .refine((all) => new Set(all.map((one) => one.name)).size === all.length, { message: 'names must differ' })
  .default([]);

/** One rule of `TOOL_RULES`: what happens to calls of a tool, or to those whose arguments match. */
export const toolRule = z.strictObject({
  tool: z.string().regex(/^[\w*-]{1,64}$/, 'must be a name of a tool; * stands for any characters'),
  arguments: z.record(z.string(), z.string().min(1).max(500)).optional(),
  action: z.enum(['allow', 'ask', 'deny']),
});
export type ToolRule = z.infer<typeof toolRule>;

export const toolRules = json('[{"tool":"fetch_url","action":"ask"}]').pipe(z.array(toolRule)).default([]);
