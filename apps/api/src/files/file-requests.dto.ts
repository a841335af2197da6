import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  NotContains,
  ValidateBy,
} from 'class-validator';
import { isId } from '@scorpio/kernel';
import { ENCODINGS, READ_MOST, type Encoding } from '@scorpio/workspace';
import { IsLimit, PageQueryDto } from '../http/page.dto';

const MOST = Number.MAX_SAFE_INTEGER;

/** An id of a session or run. A malformed one is bad input, not something absent. */
const IsIdOf = (prefix: 'ses' | 'run'): PropertyDecorator =>
  ValidateBy({
    name: 'isIdOf',
    validator: {
      validate: (value) => isId(prefix, value),
      defaultMessage: () => `$property must be an id that begins with ${prefix}_`,
    },
  });

/** What a path may be is the workspace's to say. */
const IsPath = (): PropertyDecorator => applyDecorators(IsString(), MaxLength(5_000));

const IsPattern = (length: number): PropertyDecorator =>
  applyDecorators(IsString(), IsNotEmpty(), MaxLength(length), NotContains('\0'));

const IsWhole = (least: number, most = MOST): PropertyDecorator =>
  applyDecorators(
    ApiProperty({ type: 'integer', required: false, minimum: least, maximum: most }),
    IsOptional(),
    IsInt(),
    Min(least),
    Max(most),
  );

/** A flag of a query. */
const IsFlag = (): PropertyDecorator =>
  applyDecorators(
    IsOptional(),
    Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value)),
    IsBoolean(),
  );

/** Whose files are meant. */
export class SessionFilesDto {
  /** The session. */
  @IsIdOf('ses')
  sessionId: string;
}

/** One file or folder of a session. */
export class FileTargetDto extends SessionFilesDto {
  /** From the top of the workspace: `src/main.ts`, or `/workspace/src/main.ts` as a sandbox sees it. Links are not followed. */
  @IsPath()
  path: string;
}

/** A change that can be bound to what the file is now. */
export class ChangeFileDto extends FileTargetDto {
  /** ETag that the file must have (`*`: any), else 412. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  ifMatch?: string;
}

/** What to read. Without a range: from the beginning. */
export class ReadFileDto extends FileTargetDto {
  /** First byte. */
  @IsWhole(0)
  offset?: number;

  /** Bytes at most; 1 MB where absent. */
  @IsWhole(1, READ_MOST)
  length?: number;

  /** First line, from 1: reads lines instead of bytes. */
  @IsWhole(1)
  startLine?: number;

  /** Lines at most. */
  @IsWhole(1)
  lineCount?: number;

  /** What to take the bytes for, instead of finding out. `base64`: the bytes as they are. */
  @ApiProperty({ enum: ENCODINGS, required: false })
  @IsOptional()
  @IsIn(ENCODINGS)
  encoding?: Encoding;
}

/** A whole file to be written. Folders on the way are made. */
export class WriteFileDto extends ChangeFileDto {
  @IsString()
  content: string;

  /** How `content` becomes bytes; `utf-8` where absent. Give what was read, and the file keeps its encoding. */
  @ApiProperty({ enum: ENCODINGS, required: false })
  @IsOptional()
  @IsIn(ENCODINGS)
  encoding?: Encoding;

  /** `*`: only where there is no file yet, else 412. */
  @IsOptional()
  @IsIn(['*'])
  ifNoneMatch?: '*';
}

/** Exact text to be replaced. */
export class EditFileDto extends ChangeFileDto {
  /** The text as it stands in the file, white space included. */
  @IsString()
  @IsNotEmpty()
  oldText: string;

  @IsString()
  newText: string;

  /** How often `oldText` must be there, no more and no less; all of them are replaced. 1 where absent. */
  @IsWhole(1)
  count?: number;

  /** Replaces it as often as it is there, instead of `count` times. */
  @IsOptional()
  @IsBoolean()
  all?: boolean;
}

/** A unified diff of one file. */
export class PatchFileDto extends ChangeFileDto {
  /** Its context must match exactly; names in its header do not count. */
  @IsString()
  @IsNotEmpty()
  patch: string;
}

/** A file or folder and where it shall be. */
export class TransferFileDto extends SessionFilesDto {
  @IsPath()
  from: string;

  /** The whole new path, not a folder to put it in. */
  @IsPath()
  to: string;

  /** Replaces a file at the new path; a folder is never replaced. */
  @IsOptional()
  @IsBoolean()
  overwrite?: boolean;

  /** ETag that the file at `from` must have, else 412. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  ifMatch?: string;
}

/** What to remove. */
export class DeleteFileDto extends ChangeFileDto {
  /** Removes a folder with all that is in it. */
  @IsOptional()
  @IsBoolean()
  recursive?: boolean;
}

/** What to list. */
export class ListFilesDto extends SessionFilesDto {
  /** The folder; the workspace where absent. */
  @IsOptional()
  @IsPath()
  path?: string;

  /** How many levels of the tree. 1 where absent. */
  @IsWhole(1, 32)
  depth?: number;

  /** Files anywhere below the folder that it fits, instead of the tree. */
  @ApiProperty({ required: false, example: '**/*.ts' })
  @IsOptional()
  @IsPattern(500)
  glob?: string;

  /** Entries at most; 1,000 where absent. */
  @IsWhole(1, 5_000)
  limit: number = 1_000;

  /** `nextCursor` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(8_192)
  cursor?: string;
}

/** What to search for. */
export class SearchFilesDto extends SessionFilesDto {
  /** A regular expression as ripgrep knows it (Rust's; no look-around, no back-references), or plain text with `literal`. */
  @IsPattern(2_000)
  pattern: string;

  /** A folder or one file; the workspace where absent. */
  @IsOptional()
  @IsPath()
  path?: string;

  @IsOptional()
  @IsBoolean()
  literal?: boolean;

  @IsOptional()
  @IsBoolean()
  ignoreCase?: boolean;

  /** Only files like that; with `!` before it, all but those. */
  @ApiProperty({ required: false, example: '*.ts' })
  @IsOptional()
  @IsPattern(500)
  glob?: string;

  /** Also names that begin with a dot. */
  @IsOptional()
  @IsBoolean()
  hidden?: boolean;

  /** Also what a `.gitignore` of the workspace leaves out. */
  @IsOptional()
  @IsBoolean()
  ignored?: boolean;

  /** Lines around each match. */
  @IsWhole(0, 20)
  context?: number;

  /** Matches at most; 200 where absent. */
  @IsWhole(1, 2_000)
  limit: number = 200;
}

/** Where uploaded files go. */
export class UploadQueryDto extends SessionFilesDto {
  /** The folder; the workspace where absent. */
  @IsOptional()
  @IsPath()
  path?: string;
}

/** The files to upload, in a form. */
export class UploadFilesDto {
  /** Each goes under its own name; a file of that name is replaced. */
  @ApiProperty({ type: 'array', items: { type: 'string', format: 'binary' } })
  files: unknown[];
}

/** A folder to be packed. */
export class ZipQueryDto extends UploadQueryDto {}

/** Whose changes are meant. */
export class RunChangesQueryDto extends PageQueryDto {
  /** The session. */
  @IsIdOf('ses')
  sessionId: string;

  /** The run. */
  @IsIdOf('run')
  runId: string;

  @IsLimit(100)
  override limit: number = 50;

  /** Adds the unified diff of each text file. */
  @ApiProperty({ type: 'boolean', required: false })
  @IsFlag()
  diff?: boolean;
}

/** What to take back. */
export class RestoreFilesDto extends SessionFilesDto {
  /** The run whose changes are taken back. */
  @IsIdOf('run')
  runId: string;

  /** Only these; all that the run changed where absent. */
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(1_000)
  @IsString({ each: true })
  paths?: string[];
}
