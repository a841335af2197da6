import { Controller, Get, Header, Query } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { AppConfig } from '@scorpio/config';
import { clientMetadata } from '@scorpio/mcp';
import { Public } from '../auth/auth.decorators';
import { ApiProblem } from '../http/api-problem.decorator';
import { McpAuthorization } from './mcp-authorization.service';
import { oauthOptions } from './mcp-connections.service';
import { McpCallbackQueryDto } from './mcp-oauth.dto';

@ApiTags('mcp')
@Public()
@Controller('mcp/oauth')
export class McpOAuthController {
  constructor(
    private readonly config: AppConfig,
    private readonly authorization: McpAuthorization,
  ) {}

  /** Where authorization servers send the browser back to. The `state` is what lets it in, once. */
  @Get('callback')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header('cache-control', 'no-store')
  @ApiOkResponse({ content: { 'text/html': { schema: { type: 'string' } } } })
  @ApiProblem(400, 422)
  async callback(@Query() query: McpCallbackQueryDto): Promise<string> {
    const name = await this.authorization.finish(query);
    return `<!doctype html><title>Scorpio</title><p>The MCP server ${name} is authorized. You can close this page.</p>`;
  }

  /** What this server is as a client, for authorization servers that read it in place of a registration. */
  @Get('client-metadata')
  @ApiExcludeEndpoint()
  metadata(): object {
    const options = oauthOptions(this.config);
    return { client_id: options.clientMetadataUrl ?? null, ...clientMetadata(options) };
  }
}
