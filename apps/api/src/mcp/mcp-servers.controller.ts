import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import type { Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { PageQueryDto } from '../http/page.dto';
import { McpAuthorization } from './mcp-authorization.service';
import { McpServerTools } from './mcp-server-tools.service';
import {
  ApproveMcpToolsDto,
  CreateMcpServerDto,
  McpAuthorizationDto,
  McpServerDto,
  McpServerPageDto,
  McpToolPageDto,
  McpTrialDto,
  UpdateMcpServerDto,
} from './mcp-server.dto';
import { McpServers } from './mcp-servers.service';

const ServerId = () => Param('id', IdPipe.of('mcp'));

@ApiTags('mcp')
@Scopes('mcp:admin')
@Controller('mcp/servers')
export class McpServersController {
  constructor(
    private readonly servers: McpServers,
    private readonly tools: McpServerTools,
    private readonly authorization: McpAuthorization,
  ) {}

  /** Add an MCP server that is reached by HTTP. It is tried first; its tools as they are now are approved. */
  @Post()
  @ApiProblem(400, 403, 409, 422)
  async create(@CurrentPrincipal() principal: Principal, @Body() wanted: CreateMcpServerDto): Promise<McpServerDto> {
    const { type = 'http', enabled = true, ...rest } = wanted;
    return McpServerDto.from(await this.servers.create(principal, { type, enabled, ...rest }));
  }

  /** Try an MCP server and keep nothing. */
  @Post('test')
  @HttpCode(200)
  @ApiProblem(400, 403, 422)
  async test(@CurrentPrincipal() principal: Principal, @Body() wanted: CreateMcpServerDto): Promise<McpTrialDto> {
    const { type = 'http', enabled = true, ...rest } = wanted;
    return McpTrialDto.from(await this.servers.test(principal, { type, enabled, ...rest }));
  }

  /** List MCP servers: the operator's, then one's own, newest first. */
  @Get()
  @Scopes('tools:read')
  async list(@CurrentPrincipal() principal: Principal, @Query() page: PageQueryDto): Promise<McpServerPageDto> {
    return McpServerPageDto.from(await this.servers.list(principal, page));
  }

  /** Show an MCP server and how it stands. */
  @Get(':id')
  @Scopes('tools:read')
  @ApiProblem(400, 404)
  async get(@CurrentPrincipal() principal: Principal, @ServerId() id: string): Promise<McpServerDto> {
    return McpServerDto.from(await this.servers.get(principal, id));
  }

  /** Change an MCP server. With another address or other credentials it is tried first. */
  @Patch(':id')
  @ApiProblem(400, 403, 404, 409, 422)
  async update(
    @CurrentPrincipal() principal: Principal,
    @ServerId() id: string,
    @Body() changes: UpdateMcpServerDto,
  ): Promise<McpServerDto> {
    return McpServerDto.from(await this.servers.update(principal, id, changes));
  }

  /** Remove an MCP server, its credentials and what was approved. */
  @Delete(':id')
  @HttpCode(204)
  @ApiProblem(400, 403, 404)
  async remove(@CurrentPrincipal() principal: Principal, @ServerId() id: string): Promise<void> {
    await this.servers.remove(principal, id);
  }

  /** List the tools of an MCP server with the hash of each definition and whether it is approved. */
  @Get(':id/tools')
  @Scopes('tools:read')
  @ApiProblem(400, 404)
  async listTools(
    @CurrentPrincipal() principal: Principal,
    @ServerId() id: string,
    @Query() page: PageQueryDto,
  ): Promise<McpToolPageDto> {
    return McpToolPageDto.from(await this.tools.list(principal, id, page));
  }

  /** Approve definitions of tools that are new or have changed. */
  @Post(':id/approve')
  @HttpCode(200)
  @ApiProblem(400, 403, 404)
  async approve(
    @CurrentPrincipal() principal: Principal,
    @ServerId() id: string,
    @Body() { hashes }: ApproveMcpToolsDto,
  ): Promise<McpServerDto> {
    return McpServerDto.from(await this.tools.approve(principal, id, hashes));
  }

  /** Connect to an MCP server now. */
  @Post(':id/connect')
  @HttpCode(200)
  @ApiProblem(400, 404, 503)
  async connect(@CurrentPrincipal() principal: Principal, @ServerId() id: string): Promise<McpServerDto> {
    return McpServerDto.from(await this.tools.reconnect(principal, id));
  }

  /** Begin to authorize an MCP server by OAuth: open the address in a browser. */
  @Post(':id/authorize')
  @HttpCode(200)
  @ApiProblem(400, 403, 404, 422)
  async authorize(@CurrentPrincipal() principal: Principal, @ServerId() id: string): Promise<McpAuthorizationDto> {
    return McpAuthorizationDto.from(await this.authorization.begin(principal, id));
  }
}
