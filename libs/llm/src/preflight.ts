import { DomainError, type JsonObject } from '@scorpio/kernel';
import { LlmError, type LlmProvider, type LlmRequest } from './contract';
import { estimateInput } from './estimate';
import type { ResolvedModel } from './llm-registry';

/** What a message asks of a model, as far as models differ in it. */
export interface ModelDemands {
  content: readonly { type: 'text' | 'image' | 'file'; mediaType?: string }[];
  tools: boolean;
  structuredOutput: boolean;
  maxOutputTokens?: number;
}

/**
 * Refuses what a model cannot do before anything is sent.
 * @throws DomainError invalid `unsupported_by_model`, naming the field of the message
 */
export function checkDemands({ ref, model }: Pick<ResolvedModel, 'ref' | 'model'>, demands: ModelDemands): void {
  const { capabilities, maxOutputTokens } = model;
  const refuse = (field: string, message: string): never => {
    throw new DomainError('invalid', 'unsupported_by_model', `${ref} ${message}`, {
      field,
      hint: 'GET /api/v1/models shows what each model can.',
    });
  };
  for (const [index, { type, mediaType }] of demands.content.entries()) {
    if (type === 'image' && !capabilities.images) refuse(`message[${index}]`, 'takes no images.');
    if (type === 'file' && !capabilities.documents && !mediaType?.startsWith('text/'))
      refuse(`message[${index}]`, 'takes no files but text.');
  }
  if (demands.tools && !capabilities.tools) refuse('tools', 'calls no tools.');
  if (demands.structuredOutput && !capabilities.structuredOutput)
    refuse('responseFormat', 'cannot keep to a JSON Schema.');
  if (demands.maxOutputTokens && maxOutputTokens && demands.maxOutputTokens > maxOutputTokens)
    refuse('maxOutputTokens', `answers with at most ${maxOutputTokens} tokens.`);
}

/**
 * Refuses options that no model of the chain would be given, and those that would undo what Scorpio sets itself.
 * @throws DomainError invalid `vendor_option_refused`, naming the field of the message
 */
export function checkVendorOptions(
  options: Record<string, JsonObject> | undefined,
  providers: readonly Pick<LlmProvider, 'id' | 'reservedOptions'>[],
): void {
  for (const [vendor, fields] of Object.entries(options ?? {})) {
    const provider = providers.find((one) => one.id === vendor);
    const refuse = (field: string, message: string, hint: string): never => {
      throw new DomainError('invalid', 'vendor_option_refused', message, { field, hint });
    };
    if (!provider)
      return refuse(
        `vendorOptions.${vendor}`,
        `The model of this message is not of ${JSON.stringify(vendor)}.`,
        `Options of ${providers.map(({ id }) => id).join(', ')} can be passed here.`,
      );
    const reserved = Object.keys(fields).find((name) => provider.reservedOptions.includes(name));
    if (reserved !== undefined)
      refuse(
        `vendorOptions.${vendor}.${reserved}`,
        `${reserved} cannot be passed on: it is made here.`,
        "Use the message's own fields.",
      );
  }
}

/** What a token stands for at most in ordinary text: a count by it is surely not too high. */
const MOST_CHARACTERS_PER_TOKEN = 5;

/**
 * Refuses a message that alone goes beyond the model's window.
 * @throws DomainError too-large `context_overflow`
 */
export function checkLength(
  { ref, model }: Pick<ResolvedModel, 'ref' | 'model'>,
  content: readonly { type: string; text?: string }[],
): void {
  const least = content.reduce((sum, { text }) => sum + (text?.length ?? 0), 0) / MOST_CHARACTERS_PER_TOKEN;
  if (model.contextWindow !== undefined && least > model.contextWindow)
    throw new DomainError(
      'too-large',
      'context_overflow',
      `The message has at least ${Math.ceil(least)} tokens, and ${ref} takes ${model.contextWindow}.`,
      { field: 'message', hint: 'Shorten it, or choose a model with a larger context window.' },
    );
}

/**
 * Refuses a request that certainly goes beyond the model's window; one that merely may is for the vendor to judge.
 * @throws LlmError context-overflow
 */
export function checkContext({ ref, model }: Pick<ResolvedModel, 'ref' | 'model'>, request: LlmRequest): void {
  const { contextWindow } = model;
  if (contextWindow === undefined) return;
  const least = estimateInput(request, { charactersPerToken: MOST_CHARACTERS_PER_TOKEN });
  if (least > contextWindow)
    throw new LlmError(
      'context-overflow',
      `The conversation has at least ${least} tokens, and ${ref} takes ${contextWindow}.`,
    );
}
