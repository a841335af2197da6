import { Controller, HttpCode, Post, Query, UploadedFiles, UseInterceptors } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, Scopes } from '../auth/auth.decorators';
import { accessOf, type Principal } from '../auth/principal';
import { ApiProblem } from '../http/api-problem.decorator';
import { ReadsOwnBody } from '../http/reads-own-body.decorator';
import { UploadFilesDto, UploadQueryDto } from './file-requests.dto';
import { UploadedFilesDto } from './file.dto';
import { FilesService } from './files.service';
import { wholeUpload, type UploadedFile } from './upload-storage';
import { UploadInterceptor } from './upload.interceptor';

@ApiTags('files')
@Controller('files')
export class FileUploadsController {
  constructor(private readonly files: FilesService) {}

  /** Upload files into a folder, as a form with one part named `files` for each. None is kept unless all have come in. */
  @Post('upload')
  @HttpCode(200)
  @Scopes('files:write')
  @ReadsOwnBody()
  @UseInterceptors(UploadInterceptor)
  @ApiConsumes('multipart/form-data')
  @ApiBody({ type: UploadFilesDto })
  @ApiProblem(400, 403, 404, 413, 507)
  async upload(
    @CurrentPrincipal() principal: Principal,
    @Query() { sessionId }: UploadQueryDto,
    @UploadedFiles() uploads: UploadedFile[] | undefined,
  ): Promise<UploadedFilesDto> {
    return UploadedFilesDto.from(await this.files.placeUploads(accessOf(principal), sessionId, wholeUpload(uploads)));
  }
}
