import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionContentPart,
  ChatCompletionCreateParamsStreaming,
  ChatCompletionMessageParam,
} from 'openai/resources/chat/completions';
import type { LlmAssistantPart, LlmMessage, LlmRequest, LlmUserPart } from '../../contract';
import { dataUrl, toolOutput } from './user-content';

/** The body of `POST /chat/completions`, in the words that all compatible servers know. */
export function chatRequest(request: LlmRequest, vendor: string): ChatCompletionCreateParamsStreaming {
  const system: ChatCompletionMessageParam[] = request.system ? [{ role: 'system', content: request.system }] : [];
  const turn = beginOfTurn(request.messages);
  const messages = request.messages.flatMap((message, index) => chatMessages(message, index > turn));
  return {
    model: request.model,
    messages: [...system, ...messages],
    stream: true,
    stream_options: { include_usage: true },
    tools: request.tools?.length ? request.tools.map(chatTool) : undefined,
    tool_choice: request.tools?.length ? toolChoice(request.toolChoice) : undefined,
    max_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    reasoning_effort: request.reasoning?.effort,
    response_format: request.responseFormat && {
      type: 'json_schema',
      json_schema: {
        name: request.responseFormat.name,
        schema: request.responseFormat.schema,
        strict: request.responseFormat.strict,
      },
    },
    ...request.vendorOptions?.[vendor],
  };
}

/** Where the last turn begins; images that tools gave are told by a user message, and the turn goes on with it. */
const beginOfTurn = (messages: readonly LlmMessage[]): number =>
  messages.findLastIndex(
    (message, index) =>
      message.role === 'user' &&
      !(messages[index - 1]?.role === 'tool' && message.content.some((part) => part.type === 'image')),
  );

const chatTool = (tool: NonNullable<LlmRequest['tools']>[number]) => ({
  type: 'function' as const,
  function: { name: tool.name, description: tool.description, parameters: tool.inputSchema },
});

const toolChoice = (choice: LlmRequest['toolChoice']): ChatCompletionCreateParamsStreaming['tool_choice'] =>
  typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice;

function chatMessages(message: LlmMessage, ofThisTurn: boolean): ChatCompletionMessageParam[] {
  switch (message.role) {
    case 'user':
      return [{ role: 'user', content: userContent(message.content) }];
    case 'tool':
      return message.content.map((result) => ({
        role: 'tool',
        tool_call_id: result.callId,
        content: toolOutput(result),
      }));
    case 'assistant':
      return [assistantMessage(message.content, ofThisTurn)];
  }
}

/** Plain text stays plain: many compatible servers know nothing else. */
function userContent(parts: LlmUserPart[]): string | ChatCompletionContentPart[] {
  if (parts.every((part) => part.type === 'text')) return parts.map((part) => part.text).join('\n');
  return parts.map((part): ChatCompletionContentPart => {
    switch (part.type) {
      case 'text':
        return { type: 'text', text: part.text };
      case 'image':
        return { type: 'image_url', image_url: { url: dataUrl(part.mediaType, part.data) } };
      case 'file':
        return { type: 'file', file: { filename: part.name, file_data: dataUrl(part.mediaType, part.data) } };
    }
  });
}

/**
 * Reasoning goes back only within the turn that it belongs to, under the name it came by: models that think between
 * tool calls need it there (api-docs.deepseek.com/guides/thinking_mode), and older turns must not have it.
 */
function assistantMessage(parts: LlmAssistantPart[], ofThisTurn: boolean): ChatCompletionMessageParam {
  const text = parts.filter((part) => part.type === 'text').map((part) => part.text);
  const calls = parts.filter((part) => part.type === 'tool_call');
  const message: ChatCompletionAssistantMessageParam & Record<string, unknown> = {
    role: 'assistant',
    content: text.join('') || null,
  };
  if (calls.length)
    message.tool_calls = calls.map((call) => ({
      id: call.callId,
      type: 'function',
      function: { name: call.name, arguments: JSON.stringify(call.arguments) },
    }));
  for (const part of parts) {
    if (part.type !== 'reasoning' || !ofThisTurn) continue;
    const field = (part.native?.data as { field?: unknown } | null | undefined)?.field;
    if (field === 'reasoning_content' || field === 'reasoning')
      message[field] = ((message[field] as string | undefined) ?? '') + part.text;
  }
  return message;
}
