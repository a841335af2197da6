import type { KeepOutput, ToolSet, Verdict, WorkingTool } from '@scorpio/agent';
import type { JsonObject } from '@scorpio/kernel';

/** The tools of one run, and what holds for them. */
export interface RunTools {
  set: ToolSet;
  /** A tool that cannot be listed now, by its name alone. */
  absentTool(name: string): WorkingTool | undefined;
  verdict(tool: WorkingTool, input: JsonObject): Promise<Verdict>;
  /** Lets a tool run in the session from now on. */
  allowAlways(name: string, by: string, interactionId: string): Promise<void>;
  /** Keeps an output that is too long for the model. */
  keep: KeepOutput;
}
