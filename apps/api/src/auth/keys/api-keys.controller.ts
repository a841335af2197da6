import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { ApiProblem } from '../../http/api-problem.decorator';
import { IdPipe } from '../../http/id.pipe';
import { PageQueryDto } from '../../http/page.dto';
import { CurrentPrincipal, Scopes } from '../auth.decorators';
import type { Principal } from '../principal';
import { ApiKeyPageDto, CreateApiKeyDto, CreatedApiKeyDto } from './api-key.dto';
import { ApiKeys } from './api-keys.service';

@ApiTags('keys')
@Controller('keys')
@Scopes('keys:admin')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeys) {}

  /** Make an API key. The answer is the only one that holds it. */
  @Post()
  async create(@CurrentPrincipal() principal: Principal, @Body() wanted: CreateApiKeyDto): Promise<CreatedApiKeyDto> {
    const { record, text } = await this.apiKeys.create(principal, wanted);
    return CreatedApiKeyDto.of(record, text);
  }

  /** List API keys, newest first: one's own, or those of the tenant for admins. */
  @Get()
  async list(@CurrentPrincipal() principal: Principal, @Query() page: PageQueryDto): Promise<ApiKeyPageDto> {
    return ApiKeyPageDto.from(await this.apiKeys.list(principal, page));
  }

  /** Revoke an API key. Doing it again changes nothing. */
  @Delete(':id')
  @HttpCode(204)
  @ApiProblem(404)
  async revoke(@CurrentPrincipal() principal: Principal, @Param('id', IdPipe.of('key')) id: string): Promise<void> {
    await this.apiKeys.revoke(principal, id);
  }
}
