import type { ResponseCreateParamsStreaming, ResponseInputItem, Tool } from 'openai/resources/responses/responses';
import type { LlmAssistantPart, LlmMessage, LlmNative, LlmRequest, LlmUserPart } from '../../contract';
import { nearestEffort } from '../efforts';
import type { OpenAiModel } from './models';
import { dataUrl, toolOutput } from './user-content';

/**
 * The body of `POST /responses`. Nothing is stored with the vendor: what it needs of earlier reasoning travels with the
 * request as the encrypted items it gave (developers.openai.com/api/docs/guides/reasoning).
 * @param summaries whether to ask for summaries of the reasoning; some organisations may not
 */
export function responsesRequest(
  request: LlmRequest,
  vendor: string,
  model: OpenAiModel,
  summaries: boolean,
): ResponseCreateParamsStreaming {
  const reasons = model.efforts.length > 0 || request.reasoning !== undefined;
  return {
    model: request.model,
    instructions: request.system,
    ...(vendor === 'openai' && { prompt_cache_key: request.cacheKey }),
    input: request.messages.flatMap(inputItems),
    stream: true,
    store: false,
    include: reasons ? ['reasoning.encrypted_content'] : undefined,
    reasoning: reasons ? reasoning(request, model, summaries) : undefined,
    tools: request.tools?.length ? request.tools.map(functionTool) : undefined,
    tool_choice: request.tools?.length ? toolChoice(request.toolChoice) : undefined,
    max_output_tokens: request.maxOutputTokens,
    temperature: request.temperature,
    text: request.responseFormat && {
      format: {
        type: 'json_schema',
        name: request.responseFormat.name,
        schema: request.responseFormat.schema,
        strict: request.responseFormat.strict,
      },
    },
    ...request.vendorOptions?.[vendor],
  };
}

function reasoning(request: LlmRequest, model: OpenAiModel, summaries: boolean) {
  return {
    effort: request.reasoning && nearestEffort(model.efforts, request.reasoning.effort),
    summary: summaries ? ('auto' as const) : undefined,
  };
}

/** Schemas come from anywhere (MCP servers, people) and rarely fit the strict subset, which is this form's default. */
const functionTool = (tool: NonNullable<LlmRequest['tools']>[number]): Tool => ({
  type: 'function',
  name: tool.name,
  description: tool.description,
  parameters: tool.inputSchema,
  strict: false,
});

const toolChoice = (choice: LlmRequest['toolChoice']): ResponseCreateParamsStreaming['tool_choice'] =>
  typeof choice === 'object' ? { type: 'function', name: choice.name } : choice;

function inputItems(message: LlmMessage): ResponseInputItem[] {
  switch (message.role) {
    case 'user':
      return [{ type: 'message', role: 'user', content: message.content.map(inputContent) }];
    case 'tool':
      return message.content.map((result) => ({
        type: 'function_call_output',
        call_id: result.callId,
        output: toolOutput(result),
      }));
    case 'assistant':
      return assistantItems(message.content);
  }
}

function inputContent(part: LlmUserPart) {
  switch (part.type) {
    case 'text':
      return { type: 'input_text' as const, text: part.text };
    case 'image':
      return { type: 'input_image' as const, detail: 'auto' as const, image_url: dataUrl(part.mediaType, part.data) };
    case 'file':
      return 'url' in part.data
        ? { type: 'input_file' as const, file_url: part.data.url }
        : { type: 'input_file' as const, filename: part.name, file_data: dataUrl(part.mediaType, part.data) };
  }
}

/**
 * Items of an assistant message. Ids of messages and calls are only meant together with the reasoning before them, so
 * they go along only where all of its reasoning does.
 */
function assistantItems(parts: LlmAssistantPart[]): ResponseInputItem[] {
  const faithful = parts.every((part) => part.type !== 'reasoning' || reasoningItem(part.native) !== undefined);
  return parts.flatMap((part): ResponseInputItem[] => {
    const native = faithful ? nativeFields(part.native) : {};
    switch (part.type) {
      case 'reasoning': {
        const item = reasoningItem(part.native);
        return item ? [item] : [];
      }
      case 'text':
        return part.text ? [assistantText(part.text, native)] : [];
      case 'tool_call':
        return [
          {
            type: 'function_call',
            call_id: part.callId,
            name: part.name,
            arguments: JSON.stringify(part.arguments),
            ...(typeof native.id === 'string' && { id: native.id }),
          },
        ];
    }
  });
}

/** A message with its id is an output item; without one it is the short form that needs none. */
function assistantText(text: string, native: Record<string, unknown>): ResponseInputItem {
  const phase = native.phase === 'commentary' || native.phase === 'final_answer' ? { phase: native.phase } : {};
  return {
    type: 'message',
    role: 'assistant',
    content: [{ type: 'output_text', text, annotations: [] }],
    ...(typeof native.id === 'string' && { id: native.id, status: 'completed' }),
    ...phase,
  } as ResponseInputItem;
}

const nativeFields = (native: LlmNative | undefined): Record<string, unknown> =>
  typeof native?.data === 'object' && native.data ? (native.data as Record<string, unknown>) : {};

/** The item as the vendor gave it. Without its encrypted content it means nothing to a vendor that stores nothing. */
function reasoningItem(native: LlmNative | undefined): ResponseInputItem | undefined {
  const item = nativeFields(native);
  return item.type === 'reasoning' && item.encrypted_content ? (item as unknown as ResponseInputItem) : undefined;
}
