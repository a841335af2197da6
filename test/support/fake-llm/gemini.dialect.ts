import type { Answer, Dialect, Fields, Frame, Refusal } from './dialect';
import { contentsFault, requestFault } from './gemini-faults';

/** Signatures are base64: every character of that must come back as it was. */
const SIGNATURE = 'EqQBCkgBsig+/nature4Gemini==';
const PATH = /\/models\/([^/:]+):streamGenerateContent$/;

/** Google's Gemini API. */
export const geminiDialect: Dialect = {
  name: 'gemini',
  answers: (path) => PATH.test(path),
  lists: (path, headers) => path.endsWith('/models') && headers['x-goog-api-key'] !== undefined,
  listing: (models) => ({
    models: models.map((id) => ({
      name: `models/${id}`,
      displayName: id,
      inputTokenLimit: 1_000_000,
      outputTokenLimit: 64_000,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    })),
  }),
  keyOf: (headers) => headers['x-goog-api-key'] as string | undefined,
  modelOf: (_body, path) => PATH.exec(path)?.[1] ?? '',
  refusal: (status, error) => ({ error: { code: status, ...googleStatus(status, error) } }),

  fault: (body, model) => requestFault(body, model) ?? contentsFault(body.contents, model, SIGNATURE),

  lastMessage(body) {
    const contents = body.contents as { role: string; parts: Fields[] }[];
    const texts = ({ parts }: { parts: Fields[] }): string[] =>
      parts.flatMap(({ text }) => (typeof text === 'string' ? [text] : []));
    const at = contents.findLastIndex((content) => content.role === 'user' && texts(content).length);
    const answered = contents.slice(at + 1).some(({ parts }) => parts.some((part) => part.functionResponse));
    return { text: at < 0 ? '' : texts(contents[at]).join('\n'), answered };
  },

  *frames(answer) {
    for (const token of answer.reasoning) yield chunk(answer, [{ text: token, thought: true }], token);
    for (const token of answer.tokens) yield chunk(answer, [{ text: token }], token);
    for (const [index, tool] of answer.tools.entries()) {
      const args = tool.arguments ? asObject(tool.arguments) : {};
      // What is no call is never shown: the candidate ends with it.
      if (!args) return yield chunk(answer, [], undefined, 'MALFORMED_FUNCTION_CALL');
      const functionCall = { name: tool.name, id: tool.callId, ...(tool.arguments && { args }) };
      // Of parallel calls only the first is signed.
      yield chunk(answer, [{ functionCall, ...(!index && { thoughtSignature: SIGNATURE }) }], tool.name);
    }
    const end = answer.tools.length ? [] : [{ text: '', thoughtSignature: SIGNATURE }];
    yield chunk(answer, end, undefined, finishReason(answer));
  },

  errorFrame: (message) => ({ data: JSON.stringify({ error: { code: 500, message, status: 'INTERNAL' } }) }),
  unknownFrame: () => ({ event: 'constellation', data: JSON.stringify({ constellation: { stars: 7 } }) }),
};

function finishReason({ behaviour, finish }: Answer): string {
  if (finish === 'length') return 'MAX_TOKENS';
  return behaviour.refusal || finish === 'content_filter' ? 'SAFETY' : 'STOP';
}

function asObject(text: string): Fields | undefined {
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return undefined;
  }
}

/** Counts come with every chunk, those of the output with the last. */
function chunk(answer: Answer, parts: Fields[], token?: string, finishReason?: string): Frame {
  const { usage, behaviour, model } = answer;
  const usageMetadata = {
    promptTokenCount: usage.input,
    cachedContentTokenCount: usage.cached,
    ...(finishReason && {
      candidatesTokenCount: usage.output - usage.reasoning,
      thoughtsTokenCount: usage.reasoning,
      totalTokenCount: usage.input + usage.output,
    }),
  };
  const data = {
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) }],
    ...(!behaviour.noUsage && { usageMetadata }),
    modelVersion: model,
    responseId: 'response-1',
  };
  return { data: JSON.stringify(data), token };
}

const STATUS: Record<number, string> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** What the codes of a behaviour are in Google's words. */
function googleStatus(status: number, { code, message }: Refusal): Fields {
  if (code === 'context_length_exceeded')
    return {
      message: 'The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).',
      status: 'INVALID_ARGUMENT',
    };
  const type = (name: string): string => `type.googleapis.com/google.rpc.${name}`;
  const quotaId = 'GenerateRequestsPerDayPerProjectPerModel-FreeTier';
  const details = code === 'insufficient_quota' ? [{ '@type': type('QuotaFailure'), violations: [{ quotaId }] }] : [];
  return { message, status: STATUS[status] ?? 'UNKNOWN', details };
}
