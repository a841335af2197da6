import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { isId } from '@scorpio/kernel';
import { decodeCursor, encodeCursor } from '@scorpio/persistence';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { PageQueryDto } from '../http/page.dto';
import { AnswerInteractionDto, InteractionDto, InteractionPageDto } from './interaction.dto';
import { Interactions } from './interactions.service';
import { RunDto, RunPageDto } from './run.dto';
import { RunsService } from './runs.service';

const sessionId = IdPipe.of('ses');

const before = (prefix: 'run' | 'int', { cursor }: PageQueryDto): string | undefined =>
  cursor === undefined ? undefined : (decodeCursor(cursor, ([id]) => isId(prefix, id))[0] as string);

/** The page, and the cursor of the next one, from one item more than was asked for. */
const paged = <R extends { id: string }, D>(found: R[], limit: number, from: (record: R) => D) => ({
  items: found.slice(0, limit).map(from),
  nextCursor: found.length > limit ? encodeCursor([found[limit - 1].id]) : null,
});

@ApiTags('runs')
@Scopes('chat')
@Controller('sessions/:sessionId')
export class SessionRunsController {
  constructor(
    private readonly runs: RunsService,
    private readonly interactions: Interactions,
  ) {}

  /** List the runs of a session, newest first. */
  @Get('runs')
  @ApiProblem(404)
  async list(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', sessionId) id: string,
    @Query() page: PageQueryDto,
  ): Promise<RunPageDto> {
    const found = await this.runs.list(accessOf(principal), id, page.limit + 1, before('run', page));
    return paged(found, page.limit, (run) => RunDto.from(run));
  }

  /** List what the runs of a session ask people, or asked; newest first. */
  @Get('interactions')
  @ApiProblem(404)
  async listInteractions(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', sessionId) id: string,
    @Query() page: PageQueryDto,
  ): Promise<InteractionPageDto> {
    const found = await this.interactions.list(accessOf(principal), id, page.limit + 1, before('int', page));
    return paged(found, page.limit, (interaction) => InteractionDto.from(interaction));
  }

  /** Answer an interaction, once; its run goes on. */
  @Post('interactions/:interactionId')
  @HttpCode(200)
  @ApiProblem(404, 409)
  async answer(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', sessionId) id: string,
    @Param('interactionId', IdPipe.of('int')) interactionId: string,
    @Body() body: AnswerInteractionDto,
  ): Promise<InteractionDto> {
    const access = accessOf(principal);
    return InteractionDto.from(await this.interactions.answer(access, id, interactionId, principal.id, body));
  }
}
