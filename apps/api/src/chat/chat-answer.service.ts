import { Injectable } from '@nestjs/common';
import { accessOf, type Principal } from '../auth/principal';
import { RunStreams } from '../runs/run-stream.service';
import { RunsService } from '../runs/runs.service';
import { RunDto, hasEnded, type RunRecord } from '../runs/runs';
import { turnOf } from '../sessions/message-id';
import { ChatAnswerDto } from './chat.dto';
import { MessageDto } from './message.dto';
import { MessageRepository } from './message.repository';

/** Waits for a run and puts its answer together. */
@Injectable()
export class ChatAnswers {
  constructor(
    private readonly streams: RunStreams,
    private readonly runs: RunsService,
    private readonly messages: MessageRepository,
  ) {}

  /** The whole answer, once the run has ended, whatever its end, or waits for people. The signal ends the wait. */
  async wait(principal: Principal, accepted: RunRecord, signal: AbortSignal): Promise<ChatAnswerDto> {
    // A message sent again may find a run that has ended, whose log is no longer kept.
    if (!hasEnded(accepted.status)) await this.streams.rest(accepted.id, signal);
    const run = await this.runs.get(accessOf(principal), accepted.id);
    const turn = run.turn ?? (run.messages?.[0] === undefined ? undefined : turnOf(run.messages[0]));
    const stored = turn === undefined ? [] : await this.messages.turn(accessOf(principal), run.sessionId, turn);
    const messages = stored.map((message) => MessageDto.from(message));
    const parts = messages.filter(({ role }) => role !== 'user').flatMap((message) => message.parts);
    const { usage, cost, ...shown } = RunDto.from(run);
    return {
      sessionId: run.sessionId,
      run: { ...shown, usage, cost },
      text: parts.map((part) => (part.type === 'text' ? part.text : '')).join(''),
      parts,
      usage,
      cost,
      messages,
    };
  }
}
