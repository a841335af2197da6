import { Body, Controller, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiAcceptedResponse, ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { CurrentPrincipal, RateLimit, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { AbortOnClose } from '../http/abort-on-close.decorator';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { ApiRunEventStream } from '../runs/api-run-event-stream.decorator';
import { RunEvents } from '../runs/run-events.service';
import { RunDto, announceRun, type RunRecord } from '../runs/runs';
import { RunsService } from '../runs/runs.service';
import { sendEvents } from '../runs/sse-response';
import { ChatAnswers } from './chat-answer.service';
import { ChatAnswerDto, ChatMessageRequestDto, ChatStreamRequestDto } from './chat.dto';
import { ChatService } from './chat.service';

const IDEMPOTENCY = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key with the same body gives the same run, for a day; with another body 422.',
};
const PREFER = { name: 'Prefer', required: false, description: '`respond-async` answers 202 with the run at once.' };

@ApiTags('chat')
@Scopes('chat')
@RateLimit('chat')
@Controller('chat')
export class ChatController {
  constructor(
    private readonly chat: ChatService,
    private readonly answers: ChatAnswers,
    private readonly events: RunEvents,
    private readonly runs: RunsService,
  ) {}

  /**
   * Send a message and stream the run that answers it. Makes the session when none is named.
   * The run goes on when the client leaves: read on with `GET /runs/{runId}/events`, never by sending again.
   * The headers `X-Run-Id` and `X-Session-Id` come before the first event.
   */
  @Post('sse')
  @HttpCode(200)
  @ApiHeader(IDEMPOTENCY)
  @ApiRunEventStream()
  @ApiProblem(404, 409, 413, 422, 429)
  async stream(
    @CurrentPrincipal() principal: Principal,
    @Body() body: ChatStreamRequestDto,
    @Headers('idempotency-key') key: string | undefined,
    @AbortOnClose() signal: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    const open = this.events.reserve(principal, signal);
    const { sessionId, ...request } = body;
    const { run, cursor } = await this.chat.send(principal, request, sessionId, key);
    sendEvents(open(run, cursor), announceRun(response, run));
  }

  /**
   * Send a message and get the whole answer. It comes once the run has ended, whatever its end (`run.status`,
   * `run.error`). 202 with the same body when the run waits for people, and with the run alone
   * when `Prefer: respond-async` asks for it.
   */
  @Post(':sessionId/message')
  @HttpCode(200)
  @ApiHeader(IDEMPOTENCY)
  @ApiHeader(PREFER)
  @ApiOkResponse({ type: ChatAnswerDto })
  @ApiAcceptedResponse({ type: RunDto, description: 'The run, with `Prefer: respond-async`.' })
  @ApiProblem(404, 409, 413, 422, 429)
  async message(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', IdPipe.of('ses')) sessionId: string,
    @Body() body: ChatMessageRequestDto,
    @Headers('idempotency-key') key: string | undefined,
    @Headers('prefer') prefer: string | undefined,
    @AbortOnClose() signal: AbortSignal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ChatAnswerDto | RunDto> {
    const { run } = await this.chat.send(principal, body, sessionId, key);
    announceRun(response, run);
    if (/\brespond-async\b/i.test(prefer ?? '')) return this.later(principal, run, response);
    return this.whole(principal, run, signal, response);
  }

  private async later(principal: Principal, { id }: RunRecord, response: Response): Promise<RunDto> {
    response.status(202).setHeader('Preference-Applied', 'respond-async');
    return RunDto.from(await this.runs.get(accessOf(principal), id));
  }

  private async whole(
    principal: Principal,
    run: RunRecord,
    signal: AbortSignal,
    response: Response,
  ): Promise<ChatAnswerDto> {
    const answer = await this.answers.wait(principal, run, signal);
    if (answer.run.status === 'waiting_input') response.status(202);
    return answer;
  }
}
