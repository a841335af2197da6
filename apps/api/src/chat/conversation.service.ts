import { Injectable } from '@nestjs/common';
import type { StepResult, ToldResult } from '@scorpio/agent';
import { DomainError } from '@scorpio/kernel';
import type { LlmMessage } from '@scorpio/llm/contract';
import type { Owner } from '../auth/principal';
import { BlobsService } from '../blobs/blobs.service';
import { Fenced, type RunRecord } from '../runs/runs';
import { messageId } from '../sessions/message-id';
import type { UserPart } from './chat-input';
import { MessageRepository } from './message.repository';
import type { MessageRecord, StoredPart } from './message.schema';
import { blobIdsOf, toTranscript, type BlobBytes, type Said } from './transcript';

/** Newest messages that a model is told: what no context window takes is not worth reading. */
const MOST_MESSAGES = 1000;

const INPUT = 0;
const MODEL = 1;
const RESULTS = 2;
const PLACES = { user: INPUT, assistant: MODEL, tool: RESULTS };

/** The stored conversation of one session, as a run reads and writes it. Every write is fenced by the run's epoch. */
@Injectable()
export class Conversation {
  constructor(
    private readonly messages: MessageRepository,
    private readonly blobs: BlobsService,
  ) {}

  /** What was said before and in this run, oldest first, beginning with something a user said. */
  async recent(run: RunRecord): Promise<MessageRecord[]> {
    // Its message made the session, and nobody has worked on it before.
    if (run.seed && run.turn === 1 && run.epoch === 1) return [];
    return told(run.sessionId, await this.messages.upTo(ownerOf(run), run.sessionId, run.turn!, MOST_MESSAGES));
  }

  /** What a model is told of what is stored: the newest summary, and what that does not stand for. */
  async stored({ sessionId, ...owner }: Owner & { sessionId: string }): Promise<MessageRecord[]> {
    return told(sessionId, (await this.messages.page(ownerOf(owner), sessionId, { limit: MOST_MESSAGES })).items);
  }

  /** Stored messages as a model is told them. */
  async transcript(run: RunRecord, messages: readonly Said[]): Promise<LlmMessage[]> {
    return toTranscript(messages, await this.bytes(run, messages));
  }

  private async bytes(run: RunRecord, messages: readonly Said[]): Promise<BlobBytes> {
    const ids = [...new Set(blobIdsOf(messages))];
    const load = async (id: string): Promise<[string, Uint8Array][]> => {
      try {
        return [[id, (await this.blobs.get(ownerOf(run), id)).bytes]];
      } catch (error) {
        if (error instanceof DomainError && error.kind === 'not-found') return [];
        throw error;
      }
    };
    return new Map((await Promise.all(ids.map(load))).flat());
  }

  /** Stores what a step answers: the run's message (step 0), or what came in before a later step. */
  async saveInput(run: RunRecord, step: number, content: UserPart[]): Promise<string> {
    return this.save(run, step, INPUT, { role: 'user', content });
  }

  async saveModel(run: RunRecord, step: number, result: StepResult): Promise<string> {
    return this.save(run, step, MODEL, { role: 'assistant', ...result });
  }

  /** Stores what a model had said when its run was ended. */
  async savePartial(run: RunRecord, step: number, model: string, content: StoredPart[]): Promise<string> {
    return this.save(run, step, MODEL, { role: 'assistant', content, model, partial: true });
  }

  /** Sees to it that a step has no such message: neither one that an earlier owner stored, nor one that it still brings. */
  async withdraw(run: RunRecord, step: number, role: keyof typeof PLACES): Promise<void> {
    if (run.epoch > 1) await this.save(run, step, PLACES[role], { role, content: [], withdrawn: true });
  }

  /** Stores the results of a step's calls. */
  async saveResults(run: RunRecord, step: number, results: ToldResult[]): Promise<string> {
    return this.save(run, step, RESULTS, { role: 'tool', content: resultParts(results) });
  }

  /** Results as a model is told them. */
  async toldResults(run: RunRecord, results: ToldResult[]): Promise<LlmMessage> {
    const [message] = await this.transcript(run, [{ role: 'tool', content: resultParts(results) }]);
    return message;
  }

  /** Stores what stands for the messages before the one that it keeps from. Each attempt has a place of its own. */
  async saveSummary(
    run: RunRecord,
    { step, attempt }: { step: number; attempt: number },
    text: string,
    keepsFromId: string,
    call: Pick<MessageRecord, 'model' | 'usage' | 'cost' | 'durationMs'>,
  ): Promise<string> {
    const keepsFrom = keepsFromId.slice(keepsFromId.indexOf(':') + 1);
    const content: StoredPart[] = [{ type: 'text', text: `[Summary of the conversation so far]\n${text}` }];
    return this.save(run, step - 1, RESULTS + attempt, { role: 'summary', content, keepsFrom, ...call });
  }

  /** @throws Fenced when a later owner of the run has written it */
  private async save(
    run: RunRecord,
    step: number,
    k: number,
    message: Pick<MessageRecord, 'role' | 'content'> & Partial<MessageRecord>,
  ): Promise<string> {
    const id = messageId(run.sessionId, run.turn!, step, k);
    const { id: runId, epoch, sessionId } = run;
    const stored = { ...ownerOf(run), ...message, id, sessionId, runId, epoch, createdAt: new Date() };
    if (!(await this.messages.put(stored))) throw new Fenced(`Run ${runId} has another owner.`);
    return id;
  }
}

const resultParts = (results: ToldResult[]): StoredPart[] =>
  results.map((result) => ({ type: 'tool_result', ...result }));

const ownerOf = ({ tenantId, ownerId }: Owner) => ({ tenantId, ownerId });

/** Of stored messages, those a model is told: the newest summary, and what that does not stand for. */
function told(sessionId: string, items: MessageRecord[]): MessageRecord[] {
  const summary = items.findLast(({ role }) => role === 'summary');
  const since = summary?.keepsFrom && `${sessionId}:${summary.keepsFrom}`;
  const kept = items.filter(({ id, role }) => role !== 'summary' && (!summary || id >= (since ?? summary.id)));
  if (summary) return [summary, ...kept];
  const first = kept.findIndex(({ role }) => role === 'user');
  return first <= 0 ? kept : kept.slice(first);
}
