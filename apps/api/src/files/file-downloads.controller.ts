import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiHeader, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { sendFile, sendZip } from './file-answer';
import { FileTargetDto, ZipQueryDto } from './file-requests.dto';
import { FilesService } from './files.service';

const BYTES = { schema: { type: 'string', format: 'binary' } };

@ApiTags('files')
@Controller('files')
export class FileDownloadsController {
  constructor(private readonly files: FilesService) {}

  /** Download a file, always as plain bytes to be saved. Knows `Range`, `If-Range`, `If-Match` and `If-None-Match`. */
  @Get('download')
  @Scopes('files:read')
  @ApiHeader({ name: 'Range', required: false, description: '`bytes=0-1023`' })
  @ApiOkResponse({ content: { 'application/octet-stream': BYTES } })
  @ApiProblem(400, 403, 404, 412, 416)
  async download(
    @CurrentPrincipal() principal: Principal,
    @Query() query: FileTargetDto,
    @Res() response: Response,
  ): Promise<void> {
    await sendFile(response, await this.files.open(accessOf(principal), query));
  }

  /** Download a folder, or the whole workspace, as a ZIP archive. */
  @Get('zip')
  @Scopes('files:read')
  @ApiOkResponse({ content: { 'application/zip': BYTES } })
  @ApiProblem(400, 403, 404)
  async zip(
    @CurrentPrincipal() principal: Principal,
    @Query() { sessionId, path = '' }: ZipQueryDto,
    @Res() response: Response,
  ): Promise<void> {
    await sendZip(response, path, await this.files.zip(accessOf(principal), { sessionId, path }));
  }
}
