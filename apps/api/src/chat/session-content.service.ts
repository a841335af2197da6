import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { monotonicMs } from '@scorpio/kernel';
import { Sweeper } from '@scorpio/persistence';
import { BlobsService } from '../blobs/blobs.service';
import { PURGE_ORDER } from '../sessions/session-eraser';
import { SessionsService } from '../sessions/sessions.service';
import { MessageRepository } from './message.repository';

/** Longer than any message waits for the session that it makes. */
const ORPHAN_MS = 3_600_000;

/** Has what was said in a session erased with it, and blobs whose session never came to be. */
@Injectable()
export class SessionContentService implements OnModuleInit, OnApplicationBootstrap {
  private readonly startedAt = monotonicMs();

  constructor(
    private readonly sessions: SessionsService,
    private readonly messages: MessageRepository,
    private readonly blobs: BlobsService,
    private readonly sweeper: Sweeper,
  ) {}

  onModuleInit(): void {
    this.sessions.registerPurge('messages', (id) => this.eraseMessages(id), PURGE_ORDER.messages);
    this.sessions.registerPurge('blobs', (id) => this.blobs.purge(id), PURGE_ORDER.blobs);
  }

  onApplicationBootstrap(): void {
    this.sweeper.register('orphan blobs', (signal) => this.removeOrphans(signal));
  }

  private async eraseMessages(sessionId: string): Promise<'done'> {
    await this.messages.erase(sessionId);
    return 'done';
  }

  /** Not in the first hour of a process: runs that a crash cut short may still make their sessions. */
  private async removeOrphans(signal: AbortSignal): Promise<void> {
    if (monotonicMs() - this.startedAt < ORPHAN_MS) return;
    await this.blobs.removeOrphans(new Date(Date.now() - ORPHAN_MS), (ids) => this.sessions.existing(ids), signal);
  }
}
