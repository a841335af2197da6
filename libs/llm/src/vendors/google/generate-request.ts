import type {
  Content,
  FunctionCallingConfigMode,
  GenerateContentConfig,
  GenerateContentParameters,
  Part,
  ThinkingConfig,
  ThinkingLevel,
} from '@google/genai';
import type { LlmAssistantPart, LlmMessage, LlmRequest, LlmToolResult, LlmUserPart } from '../../contract';
import { nearestEffort } from '../efforts';
import type { GoogleModel } from './models';
import { callSignature, FOREIGN_CALL, signedParts } from './thought-signatures';

/**
 * What `streamGenerateContent` is asked, in the words of the SDK.
 * @param signatures whether the history is sent with its thought signatures
 */
export function generateRequest(
  request: LlmRequest,
  vendor: string,
  model: GoogleModel,
  signatures = true,
): GenerateContentParameters {
  const options = request.vendorOptions?.[vendor];
  return {
    model: request.model,
    contents: contents(signatures ? request.messages : request.messages.map(unsigned), model),
    config: {
      // A `cachedContent` holds its own system prompt and tools; the API refuses others beside it.
      ...(options?.cachedContent === undefined && {
        systemInstruction: request.system || undefined,
        ...tools(request),
      }),
      temperature: request.temperature,
      maxOutputTokens: request.maxOutputTokens,
      thinkingConfig: thinking(request, model),
      ...(request.responseFormat && {
        responseMimeType: 'application/json',
        responseJsonSchema: request.responseFormat.schema,
      }),
      ...options,
    },
  };
}

function tools({ tools, toolChoice }: LlmRequest): GenerateContentConfig {
  if (!tools?.length) return {};
  const functionDeclarations = tools.map(({ name, description, inputSchema }) => ({
    name,
    description,
    parametersJsonSchema: inputSchema,
  }));
  const calling = callingConfig(toolChoice);
  return { tools: [{ functionDeclarations }], ...(calling && { toolConfig: { functionCallingConfig: calling } }) };
}

function callingConfig(choice: LlmRequest['toolChoice']) {
  const mode = (name: string): FunctionCallingConfigMode => name as FunctionCallingConfigMode;
  if (typeof choice === 'object') return { mode: mode('ANY'), allowedFunctionNames: [choice.name] };
  if (choice === 'required') return { mode: mode('ANY') };
  return choice === 'none' ? { mode: mode('NONE') } : undefined;
}

function thinking({ reasoning }: LlmRequest, { efforts, budgets }: GoogleModel): ThinkingConfig | undefined {
  if (!efforts.length) return undefined;
  if (!reasoning) return { includeThoughts: true };
  const effort = nearestEffort(efforts, reasoning.effort);
  const includeThoughts = effort !== 'none';
  return budgets
    ? { includeThoughts, thinkingBudget: budgets[effort] }
    : { includeThoughts, thinkingLevel: effort.toUpperCase() as ThinkingLevel };
}

const unsigned = (message: LlmMessage): LlmMessage =>
  message.role === 'assistant'
    ? { role: 'assistant', content: message.content.map((part) => ({ ...part, native: undefined })) }
    : message;

/** Turns alternate: results and the message after them are one turn of the user's. */
function contents(messages: LlmMessage[], model: GoogleModel): Content[] {
  const turns: (Content & { parts: Part[] })[] = [];
  for (const message of messages) {
    const role = message.role === 'assistant' ? 'model' : 'user';
    const parts = partsOf(message, model);
    const last = turns.at(-1);
    if (last?.role === role) last.parts.push(...parts);
    else if (parts.length) turns.push({ role, parts });
  }
  return turns;
}

function partsOf(message: LlmMessage, { signedCalls }: GoogleModel): Part[] {
  switch (message.role) {
    case 'user':
      return message.content.flatMap(userPart);
    case 'tool':
      return message.content.map(toolResult);
    case 'assistant': {
      const parts = message.content.flatMap(assistantPart);
      // Of parallel calls only the first is signed. Earlier turns are not looked at, but must stay as they were sent, or
      // the cache would not know them.
      const first = signedCalls ? parts.find((part) => part.functionCall) : undefined;
      if (first) first.thoughtSignature ??= FOREIGN_CALL;
      return parts;
    }
  }
}

function assistantPart(part: LlmAssistantPart): Part[] {
  if (part.type !== 'tool_call') return signedParts(part.type, part.text, part.native);
  const { callId, name, native } = part;
  const thoughtSignature = callSignature(native);
  return [{ functionCall: { id: callId, name, args: part.arguments }, ...(thoughtSignature && { thoughtSignature }) }];
}

const toolResult = ({ callId, name, output, isError }: LlmToolResult): Part => ({
  functionResponse: { id: callId, name, response: isError ? { error: output } : { output } },
});

/** Types that are read as text: the API takes few of them as data, and no names of files. */
const TEXT = /^text\/|[/+](json|xml|yaml|toml|javascript|sql)$/;

function userPart(part: LlmUserPart): Part[] {
  if (part.type === 'text') return part.text ? [{ text: part.text }] : [];
  const { mediaType: mimeType, data } = part;
  if ('url' in data) return [{ fileData: { fileUri: data.url, mimeType } }];
  if (part.type === 'file' && TEXT.test(mimeType))
    return [{ text: `${part.name}:\n${Buffer.from(data.bytes).toString('utf8')}` }];
  return [{ inlineData: { mimeType, data: Buffer.from(data.bytes).toString('base64') } }];
}
