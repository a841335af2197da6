import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '@scorpio/config';
import { DomainError, newId, notFound } from '@scorpio/kernel';
import type { Access, Owner } from '../auth/principal';
import { PURGE_ORDER } from '../sessions/session-eraser';
import { SessionsService } from '../sessions/sessions.service';
import { ToolRuleRepository } from './tool-rule.repository';
import type { ToolRuleRecord } from './tool-rule.schema';
import type { Rule, Rules } from './tool-verdict';

const MOST_RULES = 200;

/** Which calls may run, must be asked about, or may not: of the whole server, and of one session. */
@Injectable()
export class ToolRules implements OnModuleInit {
  constructor(
    private readonly rules: ToolRuleRepository,
    private readonly sessions: SessionsService,
    private readonly config: AppConfig,
  ) {}

  onModuleInit(): void {
    const purge = async (sessionId: string): Promise<'done'> => {
      await this.rules.eraseOfSession(sessionId);
      return 'done';
    };
    this.sessions.registerPurge('tool rules', purge, PURGE_ORDER.messages);
  }

  get ofServer(): readonly Rule[] {
    return this.config.tools.rules;
  }

  /** Newest first. @throws DomainError not-found for the session */
  async list(access: Access, sessionId: string): Promise<ToolRuleRecord[]> {
    await this.sessions.get(access, sessionId);
    return this.rules.list(access, sessionId, MOST_RULES);
  }

  /** @throws DomainError not-found for the session; conflict `too_many_rules` */
  async add(access: Access, sessionId: string, by: string, rule: Rule): Promise<ToolRuleRecord> {
    const { tenantId, ownerId } = await this.sessions.get(access, sessionId);
    if ((await this.rules.list(access, sessionId, MOST_RULES)).length >= MOST_RULES)
      throw new DomainError('conflict', 'too_many_rules', `A session has at most ${MOST_RULES} rules.`);
    return this.store({ ...rule, id: newId('rule'), tenantId, ownerId, sessionId, createdBy: by });
  }

  /** Lets a tool run in the session from now on, as whoever approved a call of it said. May be repeated. */
  async allow(owner: Owner, sessionId: string, tool: string, by: string, interactionId: string): Promise<void> {
    const id = `rule_${interactionId.slice('int_'.length)}`;
    await this.store({ ...owner, id, sessionId, tool, action: 'allow', createdBy: by });
  }

  private async store(rule: Omit<ToolRuleRecord, 'createdAt'>): Promise<ToolRuleRecord> {
    const record = { ...rule, createdAt: new Date() };
    await this.rules.put(record);
    return record;
  }

  /** @throws DomainError not-found for the session or the rule */
  async remove(access: Access, sessionId: string, id: string): Promise<void> {
    await this.sessions.get(access, sessionId);
    if (!(await this.rules.remove(access, sessionId, id))) throw notFound('rule');
  }

  /** All that holds in a session, or outside of one. */
  async forSession(access: Access, sessionId: string | undefined): Promise<Rules> {
    const session = sessionId === undefined ? [] : await this.rules.list(access, sessionId, MOST_RULES);
    return { server: this.ofServer, session };
  }
}
