import { Body, Controller, Delete, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { CreateToolRuleDto, ToolRuleDto, ToolRuleListDto } from './tool-rule.dto';
import { ToolRules } from './tool-rules.service';

const sessionId = IdPipe.of('ses');

@ApiTags('tools')
@Scopes('tools:execute')
@Controller('sessions/:sessionId/tool-rules')
export class ToolRulesController {
  constructor(private readonly toolRules: ToolRules) {}

  /** List the rules for tool calls of a session, those of approvals for always included. */
  @Get()
  @ApiProblem(404)
  async rules(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', sessionId) id: string,
  ): Promise<ToolRuleListDto> {
    return { items: (await this.toolRules.list(accessOf(principal), id)).map((rule) => ToolRuleDto.from(rule)) };
  }

  /** Add a rule; it decides before all older ones of the session. No rule lifts a refusal. */
  @Post()
  @ApiProblem(404, 409)
  async addRule(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', sessionId) id: string,
    @Body() body: CreateToolRuleDto,
  ): Promise<ToolRuleDto> {
    return ToolRuleDto.from(await this.toolRules.add(accessOf(principal), id, principal.id, body));
  }

  /** Remove a rule. */
  @Delete(':ruleId')
  @HttpCode(204)
  @ApiProblem(404)
  removeRule(
    @CurrentPrincipal() principal: Principal,
    @Param('sessionId', sessionId) id: string,
    @Param('ruleId', IdPipe.of('rule')) ruleId: string,
  ): Promise<void> {
    return this.toolRules.remove(accessOf(principal), id, ruleId);
  }
}
