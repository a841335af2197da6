/** Tokens of what a model is told, by the rule of thumb of four characters each. */
export class ContextTokensDto {
  instructions: number;
  tools: number;
  messages: number;
  total: number;
}

/** How much of its model's context window a session takes. */
export class ContextDto {
  /** `vendor/model` */
  model: string;
  /** In tokens; null where it is not known. */
  contextWindow: number | null;
  /** Tokens at which older messages are summed up; null where that is only when the model refuses the conversation. */
  compactsAt: number | null;
  tokens: ContextTokensDto;
  /** Messages that the model is told, a summary included. */
  messages: number;
  /** Whether older messages are told by a summary. */
  summarised: boolean;
}
