import { Injectable, type OnModuleInit } from '@nestjs/common';
import { NO_USAGE } from '@scorpio/events';
import { accessOf, type Principal } from '../auth/principal';
import type { Accepted } from '../runs/run-acceptance.service';
import { RunHandlers, type Question, type RunAnswer, type RunAsker, type RunRecord } from '../runs/runs';
import { RunsService } from '../runs/runs.service';
import { ChatAnswers } from './chat-answer.service';
import { ChatMessageRequestDto } from './chat.dto';
import { ChatService } from './chat.service';

/** Lets rooms that know runs alone have the agent answer a question. */
@Injectable()
export class ChatAsker implements RunAsker, OnModuleInit {
  constructor(
    private readonly handlers: RunHandlers,
    private readonly chat: ChatService,
    private readonly answers: ChatAnswers,
    private readonly runs: RunsService,
  ) {}

  onModuleInit(): void {
    this.handlers.registerAsker(this);
  }

  ask(principal: Principal, { sessionId, ...question }: Question, key?: string): Promise<Accepted> {
    // What asks is a program: an approval would wait for nobody.
    const request = Object.assign(new ChatMessageRequestDto(), question, { interactive: false });
    return this.chat.send(principal, request, sessionId, key);
  }

  async answer(principal: Principal, accepted: RunRecord, signal: AbortSignal): Promise<RunAnswer> {
    const { text } = await this.answers.wait(principal, accepted, signal);
    const run = await this.runs.get(accessOf(principal), accepted.id);
    return { run, text, usage: run.usage ?? NO_USAGE };
  }
}
