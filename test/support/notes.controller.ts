import { EventEmitter } from 'node:events';
import { Body, Controller, Get, Header, HttpCode, Param, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsArray, IsObject, IsOptional, IsString, IsUrl, ValidateNested } from 'class-validator';
import { DomainError, notFound } from '@scorpio/kernel';
import { AbortOnClose } from '../../apps/api/src/http/abort-on-close.decorator';
import { PageQueryDto } from '../../apps/api/src/http/page.dto';

class PartDto {
  @IsOptional()
  @IsString()
  text?: string;

  @IsOptional()
  @IsUrl({ protocols: ['https'] })
  url?: string;
}

class MessageDto {
  @IsArray()
  @ValidateNested({ each: true })
  @Type(() => PartDto)
  parts: PartDto[];
}

class NoteDto {
  @ValidateNested()
  @Type(() => MessageDto)
  message: MessageDto;

  @IsOptional()
  @IsObject()
  metadata?: Record<string, unknown>;
}

class NoteQueryDto extends PageQueryDto {
  @IsOptional()
  @IsObject()
  metadata?: Record<string, string>;
}

/** One route for each thing that stands between the socket and a controller. */
@Controller('notes')
export class NotesController {
  /** Bodies that came through. */
  static taken: unknown[] = [];
  /** Emits each stream's name with its signal. */
  static readonly opened = new EventEmitter();

  @Post()
  create(@Body() note: NoteDto): NoteDto {
    NotesController.taken.push(note);
    return note;
  }

  @Get()
  list(@Query() query: NoteQueryDto): NoteQueryDto {
    return query;
  }

  @Get('failures/:kind')
  fail(@Param('kind') kind: string): never {
    if (kind === 'wait') throw new DomainError('unavailable', 'busy', 'Busy.', { retryAfter: 1.2, hint: 'Wait.' });
    if (kind === 'unknown') throw new Error('db.internal:27017 said planted-secret');
    throw notFound('note');
  }

  @Post('poke')
  @HttpCode(200)
  poke(): { poked: true } {
    return { poked: true };
  }

  @Get('streams/:name')
  @Header('content-type', 'text/event-stream; charset=utf-8')
  async *stream(@Param('name') name: string, @AbortOnClose() signal: AbortSignal): AsyncGenerator<string> {
    NotesController.opened.emit(name, signal);
    if (name === 'fails-at-once') throw notFound('note');
    yield 'retry: 1000\n\n';
    if (name === 'fails-later') throw new Error('too late for a problem');
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  }
}
