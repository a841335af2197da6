import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { AbortOnClose } from '../http/abort-on-close.decorator';
import { ApiProblem } from '../http/api-problem.decorator';
import { UsageCallPageDto, UsageCallsQueryDto, UsagePageDto, UsageQueryDto } from './usage.dto';
import { UsageService } from './usage.service';

@ApiTags('usage')
@Scopes('usage:read')
@Controller('usage')
export class UsageController {
  constructor(private readonly usage: UsageService) {}

  /** Sum what model calls used and cost, by day, model or session. */
  @Get()
  @ApiProblem(400)
  async sums(
    @CurrentPrincipal() principal: Principal,
    @Query() query: UsageQueryDto,
    @AbortOnClose() signal: AbortSignal,
  ): Promise<UsagePageDto> {
    return UsagePageDto.from(await this.usage.sums(accessOf(principal), query, signal));
  }

  /** List the model calls of runs that have ended, newest first. */
  @Get('calls')
  @ApiProblem(400)
  async calls(@CurrentPrincipal() principal: Principal, @Query() query: UsageCallsQueryDto): Promise<UsageCallPageDto> {
    return UsageCallPageDto.from(await this.usage.calls(accessOf(principal), query));
  }
}
