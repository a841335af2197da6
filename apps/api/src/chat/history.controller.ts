import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { HistoryService } from './history.service';
import { MessagePageDto, MessagesQueryDto } from './message.dto';

@ApiTags('sessions')
@Controller('sessions')
export class HistoryController {
  constructor(private readonly history: HistoryService) {}

  /** Read the messages of a session, in pages to both sides: the newest ones first, each page in conversation order. */
  @Get(':id/messages')
  @Scopes('sessions:read')
  @ApiProblem(400, 404)
  async messages(
    @CurrentPrincipal() principal: Principal,
    @Param('id', IdPipe.of('ses')) id: string,
    @Query() query: MessagesQueryDto,
  ): Promise<MessagePageDto> {
    return MessagePageDto.from(await this.history.page(accessOf(principal), id, query));
  }
}
