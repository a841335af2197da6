import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiQuery, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, ownerOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { CreateSessionDto, ListSessionsQueryDto, SessionDto, SessionPageDto, UpdateSessionDto } from './session.dto';
import { SessionsService } from './sessions.service';

const SessionId = (): ParameterDecorator => Param('id', IdPipe.of('ses'));

@ApiTags('sessions')
@Controller('sessions')
export class SessionsController {
  constructor(private readonly sessions: SessionsService) {}

  /** Make a session. Chatting without one makes it too. */
  @Post()
  @Scopes('sessions:write')
  @ApiProblem(400, 429)
  async create(@CurrentPrincipal() principal: Principal, @Body() input: CreateSessionDto): Promise<SessionDto> {
    return SessionDto.from(await this.sessions.create(ownerOf(principal), CreateSessionDto.toSeed(input)));
  }

  /** List sessions, newest change first. */
  @Get()
  @Scopes('sessions:read')
  @ApiQuery({
    name: 'metadata',
    required: false,
    style: 'deepObject',
    explode: true,
    schema: { type: 'object', additionalProperties: { type: 'string' } },
  })
  @ApiProblem(400)
  async list(@CurrentPrincipal() principal: Principal, @Query() query: ListSessionsQueryDto): Promise<SessionPageDto> {
    return SessionPageDto.from(await this.sessions.list(accessOf(principal), query));
  }

  /** Get a session. */
  @Get(':id')
  @Scopes('sessions:read')
  @ApiProblem(400, 404)
  async get(@CurrentPrincipal() principal: Principal, @SessionId() id: string): Promise<SessionDto> {
    return SessionDto.from(await this.sessions.get(accessOf(principal), id));
  }

  /** Change settings of a session: what is given is set, null removes. */
  @Patch(':id')
  @Scopes('sessions:write')
  @ApiProblem(400, 404)
  async change(
    @CurrentPrincipal() principal: Principal,
    @SessionId() id: string,
    @Body() input: UpdateSessionDto,
  ): Promise<SessionDto> {
    return SessionDto.from(await this.sessions.change(accessOf(principal), id, input));
  }

  /** Delete a session. It is gone at once; its runs are cancelled, and all that belongs to it is erased shortly after. */
  @Delete(':id')
  @HttpCode(204)
  @Scopes('sessions:write')
  @ApiProblem(400, 404)
  async delete(@CurrentPrincipal() principal: Principal, @SessionId() id: string): Promise<void> {
    await this.sessions.delete(accessOf(principal), id);
  }
}
