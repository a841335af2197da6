import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { AbortOnClose } from '../http/abort-on-close.decorator';
import { ApiProblem } from '../http/api-problem.decorator';
import {
  DeleteFileDto,
  EditFileDto,
  FileTargetDto,
  ListFilesDto,
  PatchFileDto,
  ReadFileDto,
  RestoreFilesDto,
  RunChangesQueryDto,
  SearchFilesDto,
  TransferFileDto,
  WriteFileDto,
} from './file-requests.dto';
import {
  FileChangeDto,
  FileContentDto,
  FileEntryDto,
  FileListDto,
  FileSearchDto,
  RestoredFilesDto,
  RunFileChangesDto,
} from './file.dto';
import { FilesService } from './files.service';
import { listRequest } from './list-request';

@ApiTags('files')
@Controller('files')
export class FilesController {
  constructor(private readonly files: FilesService) {}

  /** Read a file or a part of it: text in the encoding it is in, anything else as base64. */
  @Post('read')
  @HttpCode(200)
  @Scopes('files:read')
  @ApiProblem(400, 403, 404, 413)
  async read(@CurrentPrincipal() principal: Principal, @Body() input: ReadFileDto): Promise<FileContentDto> {
    return FileContentDto.from(await this.files.read(accessOf(principal), input));
  }

  /** Write a whole file. It is the old one or the new one at every moment. */
  @Post('write')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 403, 404, 412, 413, 507)
  async write(@CurrentPrincipal() principal: Principal, @Body() input: WriteFileDto): Promise<FileChangeDto> {
    return FileChangeDto.from(await this.files.write(accessOf(principal), input));
  }

  /** Replace exact text in a file, which keeps its encoding and line endings. */
  @Post('edit')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 403, 404, 409, 412, 413, 507)
  async edit(@CurrentPrincipal() principal: Principal, @Body() { all, ...input }: EditFileDto): Promise<FileChangeDto> {
    const edit = { ...input, count: all ? ('all' as const) : input.count };
    return FileChangeDto.from(await this.files.edit(accessOf(principal), edit));
  }

  /** Apply a unified diff to a file, which keeps its encoding and line endings. */
  @Post('patch')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 403, 404, 409, 412, 413, 507)
  async patch(@CurrentPrincipal() principal: Principal, @Body() input: PatchFileDto): Promise<FileChangeDto> {
    return FileChangeDto.from(await this.files.patch(accessOf(principal), input));
  }

  /** Search the text of files by a regular expression. No link is followed. */
  @Post('search')
  @HttpCode(200)
  @Scopes('files:read')
  @ApiProblem(400, 403, 404, 503)
  async search(
    @CurrentPrincipal() principal: Principal,
    @Body() input: SearchFilesDto,
    @AbortOnClose() signal: AbortSignal,
  ): Promise<FileSearchDto> {
    return FileSearchDto.from(await this.files.search(accessOf(principal), input, signal));
  }

  /** List a folder, a tree, or the files that a glob fits. */
  @Post('list')
  @HttpCode(200)
  @Scopes('files:read')
  @ApiProblem(400, 403, 404, 503)
  async list(@CurrentPrincipal() principal: Principal, @Body() input: ListFilesDto): Promise<FileListDto> {
    return FileListDto.from(await this.files.list(accessOf(principal), listRequest(input)));
  }

  /** What a path stands for. */
  @Post('stat')
  @HttpCode(200)
  @Scopes('files:read')
  @ApiProblem(400, 403, 404)
  async stat(@CurrentPrincipal() principal: Principal, @Body() input: FileTargetDto): Promise<FileEntryDto> {
    return FileEntryDto.from(await this.files.stat(accessOf(principal), input));
  }

  /** Give a file or a folder another name. */
  @Post('move')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 403, 404, 409, 412)
  async move(@CurrentPrincipal() principal: Principal, @Body() input: TransferFileDto): Promise<FileChangeDto> {
    return FileChangeDto.from(await this.files.move(accessOf(principal), input));
  }

  /** Copy a file, or a folder with the files and folders in it; links stay behind. */
  @Post('copy')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 403, 404, 409, 412, 413, 507)
  async copy(@CurrentPrincipal() principal: Principal, @Body() input: TransferFileDto): Promise<FileChangeDto> {
    return FileChangeDto.from(await this.files.copy(accessOf(principal), input));
  }

  /** Delete a file, a folder, or a link (never what it leads to). */
  @Post('delete')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 403, 404, 409, 412)
  async delete(@CurrentPrincipal() principal: Principal, @Body() input: DeleteFileDto): Promise<FileChangeDto> {
    return FileChangeDto.from(await this.files.delete(accessOf(principal), input));
  }

  /** Make a folder and those on the way. One that is there already is fine. */
  @Post('mkdir')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 403, 404, 507)
  async mkdir(@CurrentPrincipal() principal: Principal, @Body() input: FileTargetDto): Promise<FileEntryDto> {
    return FileEntryDto.from(await this.files.mkdir(accessOf(principal), input));
  }

  /** What a run changed, in the order in which it did, with diffs where they are asked for. */
  @Get('changes')
  @Scopes('files:read')
  @ApiProblem(400, 404)
  async changes(
    @CurrentPrincipal() principal: Principal,
    @Query() query: RunChangesQueryDto,
  ): Promise<RunFileChangesDto> {
    return RunFileChangesDto.from(await this.files.runChanges(accessOf(principal), query));
  }

  /** Take back what a run changed. What somebody else has changed since is left alone and told as a conflict. */
  @Post('restore')
  @HttpCode(200)
  @Scopes('files:write')
  @ApiProblem(400, 404, 507)
  async restore(@CurrentPrincipal() principal: Principal, @Body() input: RestoreFilesDto): Promise<RestoredFilesDto> {
    return RestoredFilesDto.from(await this.files.restore(accessOf(principal), input));
  }
}
