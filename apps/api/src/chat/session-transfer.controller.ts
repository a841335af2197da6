import { Body, Controller, Get, Header, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { BodyLimit } from '../http/body-limit.decorator';
import { IdPipe } from '../http/id.pipe';
import { SessionDto } from '../sessions/session-answer';
import { ForkSessionDto, SessionExportDto } from './session-transfer.dto';
import { SessionTransferService } from './session-transfer.service';

@ApiTags('sessions')
@Controller('sessions')
export class SessionTransferController {
  constructor(private readonly transfer: SessionTransferService) {}

  /** Make a session out of an export, of at most `IMPORT_LIMIT` bytes. All ids are new. */
  @Post('import')
  @Scopes('sessions:write')
  @BodyLimit('importLimit')
  @ApiBody({ type: SessionExportDto })
  @ApiProblem(400, 413, 429)
  async import(@CurrentPrincipal() principal: Principal, @Body() body: unknown): Promise<SessionDto> {
    return SessionDto.from(await this.transfer.import(principal, body));
  }

  /** Copy a session up to and including a message, with its files as they are now, to go on from there another way. */
  @Post(':id/fork')
  @Scopes('sessions:write')
  @ApiProblem(400, 404, 409, 429, 507)
  async fork(
    @CurrentPrincipal() principal: Principal,
    @Param('id', IdPipe.of('ses')) id: string,
    @Body() input: ForkSessionDto,
  ): Promise<SessionDto> {
    return SessionDto.from(await this.transfer.fork(principal, id, input));
  }

  /** Export a session with its messages, files and images as one JSON document. */
  @Get(':id/export')
  @Scopes('sessions:read')
  @Header('content-type', 'application/json; charset=utf-8')
  @ApiOkResponse({ type: SessionExportDto })
  @ApiProblem(400, 404)
  export(@CurrentPrincipal() principal: Principal, @Param('id', IdPipe.of('ses')) id: string): AsyncIterable<string> {
    return this.transfer.export(accessOf(principal), id);
  }
}
