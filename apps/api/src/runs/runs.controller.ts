import { Controller, Get, Headers, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { CurrentPrincipal, AcceptsStreamToken, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { StreamTokens } from '../auth/streams/stream-tokens.service';
import { AbortOnClose } from '../http/abort-on-close.decorator';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { announceRun } from './announce-run';
import { ApiRunEventStream } from './api-run-event-stream.decorator';
import { RunEvents } from './run-events.service';
import { RunDto, RunEventsQueryDto, StreamTokenDto } from './run.dto';
import { hasEnded } from './run.schema';
import { RunsService } from './runs.service';
import { sendEvents } from './sse-response';

@ApiTags('runs')
@Scopes('chat')
@Controller('runs')
export class RunsController {
  constructor(
    private readonly runs: RunsService,
    private readonly events: RunEvents,
    private readonly tokens: StreamTokens,
  ) {}

  /** Get a run: its status, usage, cost and end. */
  @Get(':runId')
  @ApiProblem(404)
  async get(@CurrentPrincipal() principal: Principal, @Param('runId', IdPipe.of('run')) id: string): Promise<RunDto> {
    return RunDto.from(await this.runs.get(accessOf(principal), id));
  }

  /**
   * Read a run's events: as a stream from the cursor to the run's end, or as a JSON page with `format=json`.
   * Send the last `id` received as `Last-Event-ID` (or `?after=`) to go on where the stream broke off.
   * `X-Run-Id` and `X-Session-Id` come before the first event, unless the store is away.
   * 204 when there is nothing after the cursor and never will be; 410 once the events are no longer kept.
   */
  @Get(':runId/events')
  @AcceptsStreamToken()
  @ApiRunEventStream()
  @ApiHeader({
    name: 'Last-Event-ID',
    required: false,
    description: 'Id of the last event received; wins over `after`.',
  })
  @ApiProblem(404, 410, 429)
  async read(
    @CurrentPrincipal() principal: Principal,
    @Param('runId', IdPipe.of('run')) id: string,
    @Query() query: RunEventsQueryDto,
    @Headers('last-event-id') header: string | undefined,
    @AbortOnClose() signal: AbortSignal,
    @Res() response: Response,
  ): Promise<void> {
    if (query.format === 'json') return this.page(principal, id, query, response);
    const stream = await this.events.stream(principal, id, { header, query: query.after }, signal);
    if (!stream) return void response.status(204).end();
    if (stream.run) announceRun(response, stream.run);
    sendEvents(stream.frames, response);
  }

  private async page(principal: Principal, id: string, query: RunEventsQueryDto, response: Response): Promise<void> {
    const { events, nextCursor } = await this.events.page(principal, id, query.after, query.limit);
    response.setHeader('Content-Type', 'application/json; charset=utf-8');
    // The events are JSON already, rendered once when they were made.
    response.send(`{"items":[${events.join(',')}],"nextCursor":${JSON.stringify(nextCursor)}}`);
  }

  /** Stop a run. Asking again changes nothing; a run that has ended is answered with 200 as it is, else 202. */
  @Post(':runId/cancel')
  @HttpCode(202)
  @ApiOkResponse({ type: RunDto, description: 'The run had ended already.' })
  @ApiProblem(404)
  async cancel(
    @CurrentPrincipal() principal: Principal,
    @Param('runId', IdPipe.of('run')) id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RunDto> {
    const run = await this.runs.cancel(accessOf(principal), id, principal.id);
    if (hasEnded(run.status)) response.status(200);
    return RunDto.from(run);
  }

  /** Make a stream token. For `?token=` of this run's events, for five minutes: browsers' EventSource cannot send headers. */
  @Post(':runId/stream-token')
  @ApiProblem(404)
  async token(
    @CurrentPrincipal() principal: Principal,
    @Param('runId', IdPipe.of('run')) id: string,
  ): Promise<StreamTokenDto> {
    await this.runs.get(accessOf(principal), id);
    const { token, expiresAt } = this.tokens.issue(principal, id);
    return { token, expiresAt: expiresAt.toISOString() };
  }
}
