export { Scorpio, createScorpio, type ScorpioOptions } from './scorpio.ts';
export { Chat, type ChatOptions, type ChatStreamOptions } from './chat.ts';
export { RunsApi, type RunStreamParameters } from './runs-api.ts';
export { RunStream, type ChatRunStream, type StreamOptions } from './run-stream.ts';
export { fold, newRunState, textOf } from './fold.ts';
export type { OpenInteraction, RunEnd, RunPart, RunState, RunToolCall } from './fold.ts';
export { EventsExpiredError, RunNotCompletedError, ScorpioError } from './errors.ts';
export type * from './generated/types.gen.ts';
