import { Body, Controller, Get, Headers, HttpCode, Param, Post } from '@nestjs/common';
import { ApiHeader, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, ownerOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { ToolExecutions } from './tool-executions.service';
import { ExecuteToolDto, ToolDto, ToolExecutionDto, ToolListDto } from './tool.dto';
import { ToolsService } from './tools.service';

const IDEMPOTENCY = {
  name: 'Idempotency-Key',
  required: false,
  description: 'The same key with the same body gives the same execution, for a day; with another body 422.',
};

@ApiTags('tools')
@Controller('tools')
export class ToolsController {
  constructor(
    private readonly tools: ToolsService,
    private readonly executions: ToolExecutions,
  ) {}

  /** List all tools with their schemas, effects, and whether they can be used now. */
  @Get('list')
  @Scopes('tools:read')
  async list(@CurrentPrincipal() principal: Principal): Promise<ToolListDto> {
    return { items: (await this.tools.list(ownerOf(principal))).map((state) => ToolDto.from(state)) };
  }

  /**
   * Execute a tool directly: the same checks, rules and limits as when a model calls it, and it is recorded.
   * 409 `approval_required` for a call that needs an approval, unless `approve` gives it. An error of the tool itself
   * is a result (`ok: false`).
   */
  @Post('execute')
  @HttpCode(200)
  @Scopes('tools:execute')
  @ApiHeader(IDEMPOTENCY)
  @ApiProblem(403, 404, 409, 413, 422)
  async execute(
    @CurrentPrincipal() principal: Principal,
    @Body() body: ExecuteToolDto,
    @Headers('idempotency-key') key: string | undefined,
  ): Promise<ToolExecutionDto> {
    return ToolExecutionDto.from(await this.executions.execute(principal, body, key));
  }

  /** Get an execution; kept for 30 days, or as long as its session. */
  @Get('executions/:executionId')
  @Scopes('tools:read')
  @ApiProblem(404)
  async get(
    @CurrentPrincipal() principal: Principal,
    @Param('executionId', IdPipe.of('exe')) id: string,
  ): Promise<ToolExecutionDto> {
    return ToolExecutionDto.from(await this.executions.get(accessOf(principal), id));
  }
}
