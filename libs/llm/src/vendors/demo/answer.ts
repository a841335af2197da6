import type { LlmMessage, LlmRequest } from '../../contract';
import { readScript, type Directive, type Script } from './script';
import { sampleOf } from './sample';

const MAX_QUOTE = 400;

/** What the demo model does about a request: the directives of the last user message, or a friendly answer. */
export function planAnswer(request: LlmRequest): Script {
  const last = request.messages.at(-1);
  if (last?.role === 'tool') return { directives: [answerText(request, quoteResults(last))], delayMs: 0 };
  const text = lastUserText(request.messages);
  const script = readScript(text);
  const forced = forcedCall(request, script, text);
  if (forced) script.directives.push(forced);
  else if (!script.directives.length) script.directives.push(answerText(request, greeting(request.messages, text)));
  return script;
}

/** The text of a plain answer; where the request asks for JSON, JSON it is. */
const answerText = (request: LlmRequest, text: string): Directive =>
  request.responseFormat ? { do: 'json' } : { do: 'text', text };

/** JSON that fits the request's schema, or an object with the message where it names none. */
export function jsonAnswer(request: LlmRequest): string {
  const text = quote(lastUserText(request.messages));
  return JSON.stringify(request.responseFormat ? sampleOf(request.responseFormat.schema, text) : { message: text });
}

function forcedCall(request: LlmRequest, script: Script, text: string): Directive | undefined {
  const choice = request.toolChoice;
  if (!choice || choice === 'auto' || choice === 'none' || script.directives.length) return undefined;
  const tool = request.tools?.find((one) => choice === 'required' || one.name === choice.name);
  const sample = tool && sampleOf(tool.inputSchema, quote(text));
  if (!tool || sample === null || typeof sample !== 'object' || Array.isArray(sample)) return undefined;
  return { do: 'tool', name: tool.name, arguments: sample };
}

export function lastUserText(messages: LlmMessage[]): string {
  const last = messages.findLast((message) => message.role === 'user');
  if (!last) return '';
  return last.content
    .filter((part) => part.type === 'text')
    .map((part) => part.text)
    .join('\n');
}

function greeting(messages: LlmMessage[], text: string): string {
  const said = text.trim() ? `You said: “${quote(text)}”` : 'Your message has no text.';
  return (
    `Hello! I am Scorpio's built-in demo model: I follow simple directives and do not think. ${said}${attachments(messages)} ` +
    'Try “/long 50”, “/reason why” or “/ask shall I go on?”. For answers of a real model, set OPENAI_API_KEY or LLM_ENDPOINTS and start again.'
  );
}

function attachments(messages: LlmMessage[]): string {
  const last = messages.findLast((message) => message.role === 'user');
  const names = (last?.content ?? []).flatMap((part) =>
    part.type === 'image' ? [`an image (${part.mediaType})`] : part.type === 'file' ? [`the file ${part.name}`] : [],
  );
  return names.length ? ` With it came ${names.join(', ')}.` : '';
}

function quoteResults(message: Extract<LlmMessage, { role: 'tool' }>): string {
  return message.content
    .map((result) =>
      result.isError
        ? `The tool ${result.name} failed: “${quote(result.output)}”`
        : `The tool ${result.name} answered: “${quote(result.output)}”`,
    )
    .join('\n');
}

function quote(text: string): string {
  const points = Array.from(text.trim());
  return points.length > MAX_QUOTE ? `${points.slice(0, MAX_QUOTE).join('')}…` : points.join('');
}
