import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { ownerOf, type Principal } from '../auth/principal';
import { AbortOnClose } from '../http/abort-on-close.decorator';
import { ApiProblem } from '../http/api-problem.decorator';
import { McpService } from '../mcp/mcp.service';
import {
  FilledPromptDto,
  GetPromptDto,
  ReadResourceDto,
  ResourceContentsDto,
  ToolPromptListDto,
  ToolResourceListDto,
} from './mcp-offer.dto';

@ApiTags('tools')
@Controller('tools')
export class McpOffersController {
  constructor(private readonly mcp: McpService) {}

  /** List what can be read from MCP servers that are well, and templates of it. */
  @Get('resources')
  @Scopes('tools:read')
  async resources(@CurrentPrincipal() principal: Principal): Promise<ToolResourceListDto> {
    return { items: (await this.mcp.resources(ownerOf(principal))).map(({ serverId: _id, ...resource }) => resource) };
  }

  /** Read a resource of an MCP server. */
  @Post('resources/read')
  @HttpCode(200)
  @Scopes('tools:read')
  @ApiProblem(404)
  async read(
    @CurrentPrincipal() principal: Principal,
    @Body() { server, uri }: ReadResourceDto,
    @AbortOnClose() signal: AbortSignal,
  ): Promise<ResourceContentsDto> {
    return { contents: await this.mcp.readResource(ownerOf(principal), server, uri, signal) };
  }

  /** List the prompts of MCP servers that are well. */
  @Get('prompts')
  @Scopes('tools:read')
  async prompts(@CurrentPrincipal() principal: Principal): Promise<ToolPromptListDto> {
    return { items: (await this.mcp.prompts(ownerOf(principal))).map(({ serverId: _id, ...prompt }) => prompt) };
  }

  /** Have an MCP server fill in a prompt. */
  @Post('prompts/get')
  @HttpCode(200)
  @Scopes('tools:read')
  @ApiProblem(404)
  async prompt(
    @CurrentPrincipal() principal: Principal,
    @Body() { server, name, arguments: values }: GetPromptDto,
    @AbortOnClose() signal: AbortSignal,
  ): Promise<FilledPromptDto> {
    return this.mcp.getPrompt(ownerOf(principal), server, name, values, signal);
  }
}
