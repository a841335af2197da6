import { Controller, Get, Param, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { IdPipe } from '../http/id.pipe';
import { blobHeaders } from './blob-headers';
import { BlobsService } from './blobs.service';

@ApiTags('blobs')
@Controller('blobs')
export class BlobsController {
  constructor(private readonly blobs: BlobsService) {}

  /** Download the bytes of a file, an image or a long tool result. They never change: `If-None-Match` answers 304. */
  @Get(':blobId')
  @Scopes('sessions:read')
  @ApiOkResponse({ content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } })
  @ApiProblem(400, 404)
  async download(
    @CurrentPrincipal() principal: Principal,
    @Param('blobId', IdPipe.of('blob')) id: string,
    @Res() response: Response,
  ): Promise<void> {
    const blob = await this.blobs.get(accessOf(principal), id);
    response.set(blobHeaders(blob)).send(blob.bytes);
  }
}
