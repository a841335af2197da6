import { unknownField, type Fields } from './dialect';

const BODY = [
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'safetySettings',
  'generationConfig',
  'cachedContent',
  'serviceTier',
  'store',
  'continuationToken',
];
const GENERATION = [
  'temperature',
  'topP',
  'topK',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'presencePenalty',
  'frequencyPenalty',
  'seed',
  'thinkingConfig',
  'mediaResolution',
  'responseModalities',
];
/** The fields that a part has one of, each with its own fields. */
const DATA: Record<string, string[] | undefined> = {
  text: undefined,
  inlineData: ['mimeType', 'data'],
  fileData: ['mimeType', 'fileUri'],
  functionCall: ['id', 'name', 'args'],
  functionResponse: ['id', 'name', 'response'],
};
const NAME = /^[a-zA-Z_][\w.:-]{0,127}$/;
/** The signatures that stand for one that the model never gave. */
const DUMMIES = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'];

/** Gemini 3 and later: thinking levels, and no function call without its signature. */
const isModern = (model: string): boolean => /^gemini-([3-9]|\d\d)/.test(model);

/** What the API refuses of everything but the contents. */
export function requestFault(body: Fields, model: string): string | undefined {
  const odd = unknownField(body, BODY);
  if (odd) return unknownName(odd, '');
  const config = (body.generationConfig ?? {}) as Fields;
  const other = unknownField(config, GENERATION);
  if (other) return unknownName(other, 'generation_config');
  if (body.cachedContent && (body.systemInstruction || body.tools || body.toolConfig))
    return 'CachedContent can not be used with GenerateContent request setting system_instruction, tools or tool_config.';
  if (config.responseJsonSchema && config.responseMimeType !== 'application/json')
    return 'Unable to enforce response schema. Please set the response mime type to application/json.';
  return toolsFault((body.tools ?? []) as Fields[]) ?? thinkingFault((config.thinkingConfig ?? {}) as Fields, model);
}

function toolsFault(tools: Fields[]): string | undefined {
  for (const declaration of tools.flatMap((tool) => (tool.functionDeclarations ?? []) as Fields[])) {
    const odd = unknownField(declaration, ['name', 'description', 'parameters', 'parametersJsonSchema']);
    if (odd) return unknownName(odd, 'tools[0].function_declarations[0]');
    if (!NAME.test(String(declaration.name)))
      return 'Invalid function name. Must start with a letter or an underscore.';
  }
  return undefined;
}

function thinkingFault(config: Fields, model: string): string | undefined {
  const odd = unknownField(config, ['includeThoughts', 'thinkingBudget', 'thinkingLevel']);
  if (odd) return unknownName(odd, 'generation_config.thinking_config');
  const { thinkingBudget, thinkingLevel } = config;
  if (thinkingBudget !== undefined && thinkingLevel !== undefined)
    return 'You can only set only one of thinking budget and thinking level.';
  const levels = model.startsWith('gemini-4')
    ? ['LOW', 'MEDIUM', 'HIGH', 'XHIGH']
    : ['MINIMAL', 'LOW', 'MEDIUM', 'HIGH'];
  if (thinkingLevel !== undefined && !(isModern(model) && levels.includes(thinkingLevel as string)))
    return `Thinking level ${thinkingLevel as string} is not supported for this model.`;
  return thinkingBudget !== undefined && model.startsWith('gemini-4')
    ? 'Thinking budget is not supported for this model.'
    : undefined;
}

type Turn = { role?: unknown; parts?: Fields[] };

/** What the API refuses of the turns: their order, their parts, the pairs of calls and responses, the signatures. */
export function contentsFault(contents: unknown, model: string, signature: string): string | undefined {
  const turns = contents as Turn[] | undefined;
  if (!turns?.length) return 'contents is not specified';
  const currentTurn = turns.findLastIndex(
    ({ role, parts }) => role === 'user' && parts?.some((part) => !part.functionResponse),
  );
  for (const [index, turn] of turns.entries()) {
    const role = index % 2 ? 'model' : 'user';
    if (turn.role !== role) return `contents[${index}]: Please ensure that turns alternate: ${role} is due.`;
    if (!turn.parts?.length) return `contents[${index}].parts must not be empty.`;
    const fault =
      firstOf(turn.parts, (part) => partFault(part, signature)) ??
      responsesFault(turns[index - 1], turn) ??
      (index > currentTurn && isModern(model) ? signatureFault(turn.parts) : undefined);
    if (fault) return `contents[${index}]: ${fault}`;
  }
  return callsOf(turns.at(-1)).length
    ? 'Please ensure that a function response turn follows the function call turn.'
    : undefined;
}

const firstOf = (parts: Fields[], faultOf: (part: Fields) => string | undefined): string | undefined =>
  parts.map(faultOf).find((fault) => fault !== undefined);

function partFault(part: Fields, signature: string): string | undefined {
  const odd = unknownField(part, [...Object.keys(DATA), 'thought', 'thoughtSignature']);
  if (odd) return unknownName(odd, 'parts[0]');
  const [kind, ...more] = Object.keys(DATA).filter((name) => part[name] !== undefined);
  if (!kind || more.length) return 'required oneof field "data" must have one initialized field';
  if (kind === 'text' && !part.text && !part.thoughtSignature)
    return 'Unable to submit request because it has an empty text parameter.';
  const inner = DATA[kind] && unknownField(part[kind] as Fields, DATA[kind]);
  if (inner) return unknownName(inner, kind);
  const signed = part.thoughtSignature;
  return signed === undefined || signed === signature || DUMMIES.includes(signed as string)
    ? undefined
    : 'Thought signature is not valid.';
}

const callsOf = (turn: Turn | undefined): Fields[] =>
  (turn?.parts ?? []).flatMap(({ functionCall }) => (functionCall ? [functionCall as Fields] : []));

/** Each call has its response in the very next turn, by name and id; nothing else has one. */
function responsesFault(before: Turn | undefined, turn: Turn): string | undefined {
  const key = ({ id, name }: Fields): string => `${String(id)} ${String(name)}`;
  const responses = (turn.parts ?? []).flatMap(({ functionResponse }) =>
    functionResponse ? [functionResponse as Fields] : [],
  );
  const calls = callsOf(before);
  if (responses.length !== calls.length)
    return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
  const open = new Set(calls.map(key));
  return responses.every((response) => open.delete(key(response)))
    ? undefined
    : 'Please ensure that function responses have the names and ids of the function calls.';
}

function signatureFault(parts: Fields[]): string | undefined {
  const first = parts.find((part) => part.functionCall);
  return first && !first.thoughtSignature
    ? 'Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.'
    : undefined;
}

const unknownName = (name: string, where: string): string =>
  `Invalid JSON payload received. Unknown name "${name}"${where && ` at '${where}'`}: Cannot find field.`;
