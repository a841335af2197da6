import type { AgentTool } from '@scorpio/agent';

/** A tool, and whether it can be used now. */
export interface ToolState {
  tool: AgentTool;
  available: boolean;
  /** Why not, in a sentence. */
  reason?: string;
  /** A rule of the server forbids it altogether: for callers it is not there. */
  disabled?: boolean;
}
