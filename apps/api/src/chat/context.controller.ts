import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, RateLimit, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { RunDto } from '../runs/runs';
import { ChatService } from './chat.service';
import { ContextDto } from './context.dto';
import { ContextService } from './context.service';

@ApiTags('sessions')
@Controller('sessions/:sessionId')
export class ContextController {
  constructor(
    private readonly context: ContextService,
    private readonly chat: ChatService,
  ) {}

  /** Tell how much of its model's context window a session takes, tools included. */
  @Get('context')
  @Scopes('sessions:read')
  @ApiProblem(404)
  read(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', IdPipe.of('ses')) sessionId: string,
  ): Promise<ContextDto> {
    return this.context.of(accessOf(principal), sessionId);
  }

  /**
   * Have older messages summed up now, by a run of its own that waits for its turn; read its events as those of any run.
   * The messages themselves stay. It completes without an event `context.compacted` where there is nothing to sum up.
   */
  @Post('compact')
  @HttpCode(202)
  @Scopes('chat')
  @RateLimit('chat')
  @ApiProblem(404)
  async compact(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', IdPipe.of('ses')) sessionId: string,
  ): Promise<RunDto> {
    return RunDto.from(await this.chat.compact(principal, sessionId));
  }
}
