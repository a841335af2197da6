import { Injectable } from '@nestjs/common';
import { newId } from '@scorpio/kernel';
import { accessOf, ownerOf, type Access, type Owner, type Principal } from '../auth/principal';
import { BlobsService } from '../blobs/blobs.service';
import { FilesService } from '../files/files.service';
import { messagePlace } from '../sessions/message-id';
import type { SessionRecord } from '../sessions/session';
import { SessionsService } from '../sessions/sessions.service';
import { MessageRepository } from './message.repository';
import type { MessageRecord, StoredPart } from './message.schema';
import { blobsIn, withBlobs } from './part-blobs';
import { readSessionImport, type SessionImport } from './session-import';
import type { ExportedMessageDto, ExportedPart, ExportedSessionDto } from './session-transfer.dto';
import { wholeSteps } from './whole-steps';

type NewSession = Parameters<SessionsService['prepare']>[0];

/** Makes sessions out of sessions: forks, exports and imports. */
@Injectable()
export class SessionTransferService {
  constructor(
    private readonly sessions: SessionsService,
    private readonly messages: MessageRepository,
    private readonly blobs: BlobsService,
    private readonly files: FilesService,
  ) {}

  /**
   * A new session of the principal with the conversation up to and including a message, and with the files as they are now.
   * @throws DomainError not-found; conflict `step_unfinished`; rate-limited `session_quota`; storage-full `quota_exceeded`
   */
  async fork(
    principal: Principal,
    sessionId: string,
    at: { messageId?: string; title?: string },
  ): Promise<SessionRecord> {
    const access = accessOf(principal);
    const owner = ownerOf(principal);
    const { title, model, instructions, tools, metadata } = await this.sessions.get(access, sessionId);
    const messages = wholeSteps(await this.messages.thread(access, sessionId), at.messageId);
    const session: NewSession = {
      ...owner,
      id: newId('ses'),
      seed: { title: at.title ?? title, model, instructions, tools, metadata },
      turns: lastTurn(messages),
    };
    return this.build(owner, session, messages, async () => {
      await this.files.copyAll(sessionId, session.id);
      return this.blobs.copy(access, sessionId, session.id, blobIdsOf(messages), owner);
    });
  }

  /**
   * The session as JSON text in pieces, one blob at a time in memory.
   * @throws DomainError not-found, before the first piece
   */
  async *export(access: Access, sessionId: string): AsyncGenerator<string> {
    const session = await this.sessions.get(access, sessionId);
    const messages = wholeSteps(await this.messages.thread(access, sessionId));
    yield `{"version":1,"session":${JSON.stringify(exportedSession(session))},"messages":[`;
    for (const [index, message] of messages.entries())
      yield (index ? ',' : '') + JSON.stringify(exportedMessage(message));
    yield '],"blobs":[';
    for (const [index, id] of [...blobIdsOf(messages)].entries()) {
      const { mediaType, name, bytes } = await this.blobs.get(access, id);
      yield (index ? ',' : '') + JSON.stringify({ id, mediaType, name, data: bytes.toString('base64') });
    }
    yield ']}';
  }

  /**
   * A new session out of an export; all ids are new, except those that pair tool calls with their results.
   * @throws DomainError invalid `validation_failed`; too-large `blob_too_large`; rate-limited `session_quota`
   */
  async import(principal: Principal, body: unknown): Promise<SessionRecord> {
    const input = readSessionImport(body);
    const owner = ownerOf(principal);
    const { title, model, instructions, tools, metadata, usage, cost } = input.session;
    const messages = importedMessages(owner, input);
    const session: NewSession = {
      ...owner,
      id: newId('ses'),
      seed: { title, model, instructions, tools, metadata },
      turns: lastTurn(messages),
      usage,
      cost,
    };
    const used = blobIdsOf(messages);
    return this.build(owner, session, messages, () =>
      this.putBlobs(
        owner,
        session.id,
        input.blobs.filter(({ id }) => used.has(id)),
      ),
    );
  }

  /** Fills a session that nobody sees before it is whole. */
  private async build(
    owner: Owner,
    session: NewSession,
    messages: MessageRecord[],
    makeBlobs: () => Promise<Map<string, string>>,
  ): Promise<SessionRecord> {
    await this.sessions.prepare(session);
    const blobs = await makeBlobs();
    await this.messages.insertMany(messages.map((message) => moved(message, owner, session.id, blobs)));
    return this.sessions.publish(owner, session.id);
  }

  private async putBlobs(owner: Owner, sessionId: string, blobs: SessionImport['blobs']): Promise<Map<string, string>> {
    const made = new Map<string, string>();
    for (const { id, mediaType, name, data } of blobs)
      made.set(id, await this.blobs.put({ owner, sessionId, bytes: Buffer.from(data, 'base64'), mediaType, name }));
    return made;
  }
}

const lastTurn = (messages: MessageRecord[]): number => messagePlace(messages.at(-1)?.id ?? '')?.turn ?? 0;

const blobIdsOf = (messages: MessageRecord[]): Set<string> =>
  new Set(messages.flatMap(({ content }) => content.flatMap((part) => blobsIn(part).map(({ blobId }) => blobId))));

/** The message at the same place of another session. No run of that session has written it, so its epoch is 0. */
function moved(message: MessageRecord, owner: Owner, sessionId: string, blobs: Map<string, string>): MessageRecord {
  const content = message.content.map((part) => withBlobs(part, blobs));
  const id = sessionId + message.id.slice(message.id.indexOf(':'));
  return { ...message, ...owner, id, sessionId, epoch: 0, content };
}

function exportedSession(session: SessionRecord): ExportedSessionDto {
  const { tenantId: _tenant, ownerId: _owner, turns: _turns, activeRunId: _run, ...exported } = session;
  return exported;
}

function exportedMessage(message: MessageRecord): ExportedMessageDto {
  const { tenantId: _tenant, ownerId: _owner, sessionId: _session, epoch: _epoch, content, ...exported } = message;
  return { ...exported, parts: content.map(exportedPart) };
}

/** Arguments and vendors' data go as JSON text: their names are not ours to judge, and the import must take them back. */
function exportedPart(part: StoredPart): ExportedPart {
  if (part.type === 'image' || part.type === 'file' || part.type === 'tool_result') return part;
  const { native, ...rest } = part;
  const exported = native && { native: { ...native, data: JSON.stringify(native.data) } };
  if (rest.type === 'tool_call') return { ...rest, arguments: JSON.stringify(rest.arguments), ...exported };
  return { ...rest, ...exported };
}

/** The messages as they were, of runs that this server does not know. */
function importedMessages(owner: Owner, { messages }: SessionImport): MessageRecord[] {
  const runs = new Map<string, string>();
  return messages.map(({ parts, runId, ...message }) => {
    const run = runs.get(runId) ?? newId('run');
    runs.set(runId, run);
    return { ...message, ...owner, sessionId: '', runId: run, epoch: 0, content: parts };
  });
}
