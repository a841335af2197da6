import { Injectable } from '@nestjs/common';
import { Bus } from '@scorpio/bus';
import { checkJson } from '@scorpio/json-schema';
import { notFound } from '@scorpio/kernel';
import type { Access } from '../auth/principal';
import { SessionsService } from '../sessions/sessions.service';
import { InteractionRepository } from './interaction.repository';
import type { InteractionRecord } from './interaction.schema';
import { RunInbox } from './run-inbox.service';
import { answerInvalid, interactionClosed } from './run.errors';
import { RunRepository } from './run.repository';
import type { InteractionAnswer } from './run.schema';

const OUTCOMES: Record<InteractionRecord['kind'], InteractionAnswer['outcome'][]> = {
  question: ['answered', 'cancelled'],
  elicitation: ['answered', 'denied', 'cancelled'],
  approval: ['approved', 'denied'],
  client_tool: ['answered', 'cancelled'],
  unknown_outcome: ['answered'],
};

/** What runs wait for people to say, and the answers: given to any process, taken by the run's owner. */
@Injectable()
export class Interactions {
  constructor(
    private readonly interactions: InteractionRepository,
    private readonly runs: RunRepository,
    private readonly inbox: RunInbox,
    private readonly sessions: SessionsService,
    private readonly bus: Bus,
  ) {}

  /** Newest first. @throws DomainError not-found for the session */
  async list(access: Access, sessionId: string, limit: number, before?: string): Promise<InteractionRecord[]> {
    await this.sessions.get(access, sessionId);
    return this.interactions.list(access, sessionId, limit, before);
  }

  /**
   * Gives the answer to the run, once.
   * @throws DomainError not-found, conflict `interaction_closed`, invalid `answer_invalid`
   */
  async answer(
    access: Access,
    sessionId: string,
    id: string,
    by: string,
    answer: InteractionAnswer,
  ): Promise<InteractionRecord> {
    const interaction = await this.interactions.find(access, sessionId, id);
    if (!interaction) throw notFound('interaction');
    if (interaction.status !== 'open') throw interactionClosed(interaction.status);
    checkAnswer(interaction, answer);
    const given = await this.runs.answer(interaction.runId, {
      inputId: id,
      kind: 'answer',
      by,
      answer,
      at: new Date(),
    });
    if (!given) throw interactionClosed('answered');
    await this.interactions.close(id, { status: answer.outcome, answer, answeredBy: by });
    await this.inbox.resume(interaction.runId);
    this.bus.ring(`ctl:${interaction.runId}`);
    return { ...interaction, status: answer.outcome, answeredBy: by };
  }
}

/** @throws DomainError invalid `answer_invalid` where the kind or the schema does not allow it */
function checkAnswer({ kind, schema }: InteractionRecord, answer: InteractionAnswer): void {
  const { outcome, value } = answer;
  if (!OUTCOMES[kind].includes(outcome))
    throw answerInvalid('outcome', `An interaction of kind ${kind} takes ${OUTCOMES[kind].join(' or ')}.`);
  for (const field of ['arguments', 'always'] as const)
    if (answer[field] !== undefined && outcome !== 'approved')
      throw answerInvalid(field, `${field} goes with an outcome of approved.`);
  if (answer.message !== undefined && outcome !== 'denied' && outcome !== 'cancelled')
    throw answerInvalid('message', 'message goes with an outcome of denied or cancelled.');
  if (kind === 'approval') return checkSchema('arguments', schema, answer.arguments);
  if (outcome !== 'answered') return;
  // What a program gives as a result may be anything.
  if (kind === 'client_tool' && value !== undefined) return;
  if (!schema) {
    if (typeof value === 'string' && value.length > 0 && value.length <= 100_000) return;
    throw answerInvalid('value', 'The answer must be text of 1 to 100,000 characters.');
  }
  checkSchema('value', schema, value ?? null);
}

function checkSchema(at: string, schema: Record<string, unknown> | undefined, value: unknown): void {
  const fault = schema && value !== undefined ? checkJson(schema, value) : undefined;
  if (!fault) return;
  const { field, message } = fault;
  const dot = field && !field.startsWith('[') ? '.' : '';
  throw answerInvalid(`${at}${dot}${field}`, `The answer ${message}.`);
}
