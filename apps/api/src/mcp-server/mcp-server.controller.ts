import { Controller, Delete, Get, Post, Req, Res, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import type { Principal } from '../auth/principal';
import { AbortOnClose } from '../http/abort-on-close.decorator';
import { methodNotAllowed } from '../http/method-not-allowed';
import { McpEndpoint } from './mcp-endpoint.service';
import { McpGate } from './mcp-gate.service';
import { OriginGuard } from './origin.guard';

/** Not in the OpenAPI document: what goes in and comes out is the Model Context Protocol, whose clients read no such thing. */
@ApiExcludeController()
@UseGuards(OriginGuard)
@Scopes('tools:read')
@Controller('mcp')
export class McpServerController {
  constructor(
    private readonly gate: McpGate,
    private readonly endpoint: McpEndpoint,
  ) {}

  /** One message of the Model Context Protocol (Streamable HTTP), of either revision. */
  @Post()
  serve(
    @CurrentPrincipal() principal: Principal,
    @Req() request: Request,
    @Res() response: Response,
    @AbortOnClose() signal: AbortSignal,
  ): Promise<void> {
    this.gate.check(principal, request, response);
    return this.endpoint.serve(principal, request, response, signal);
  }

  /** No stream beside the answers: nothing is told that nobody asked for. The protocol wants a 405 for that. */
  @Get()
  listen(@Res({ passthrough: true }) response: Response): never {
    throw methodNotAllowed(response, 'POST');
  }

  /** Nothing is kept between requests that could be ended. */
  @Delete()
  end(@Res({ passthrough: true }) response: Response): never {
    throw methodNotAllowed(response, 'POST');
  }
}
