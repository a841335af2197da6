import type { LlmData, LlmToolResult } from '../../contract';

/** The https address, or the bytes as a data URL: both wire forms take either. */
export const dataUrl = (mediaType: string, data: LlmData): string =>
  'url' in data ? data.url : `data:${mediaType};base64,${Buffer.from(data.bytes).toString('base64')}`;

/** OpenAI's forms have no mark for a failed tool: the text must say it. */
export const toolOutput = (result: LlmToolResult): string =>
  result.isError && !/^error/i.test(result.output) ? `Error: ${result.output}` : result.output;
