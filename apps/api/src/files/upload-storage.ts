import type { Readable, Writable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { DomainError } from '@scorpio/kernel';
import { parsePath, Workspaces, type Staged } from '@scorpio/workspace';
import type { AuthenticatedRequest } from '../auth/auth.decorators';
import { accessOf } from '../auth/principal';
import { validationPipe } from '../http/validation.pipe';
import { SessionsService } from '../sessions/sessions.service';
import { UploadQueryDto } from './file-requests.dto';

/** A file that has come in whole and waits for its name. */
export interface UploadedFile {
  staged: Staged;
  /** Where it shall be. */
  path: string;
}

interface Incoming {
  /** The name as the client gave it, without folders. */
  originalname: string;
  stream: Readable;
}

type Stored = (error?: unknown, file?: Partial<UploadedFile>) => void;

/** Files of one upload. */
export const MOST_UPLOADS = 50;

/**
 * Streams uploaded files to disk, beside the workspace until all have come in: multer's `StorageEngine`. The session is
 * found before the first byte is kept.
 */
@Injectable()
export class UploadStorage {
  private readonly queries = new WeakMap<AuthenticatedRequest, Promise<UploadQueryDto>>();
  private readonly failures = new WeakMap<object, (error: unknown) => void>();
  /** What multer is told. Browsers send names in UTF-8. */
  readonly options = {
    storage: this,
    defParamCharset: 'utf8',
    limits: { fields: 0, files: MOST_UPLOADS },
    streamHandler: (request: Readable, form: Writable): void => this.feed(request, form),
  };

  constructor(
    private readonly workspaces: Workspaces,
    private readonly sessions: SessionsService,
  ) {}

  /** Rejects with what is wrong with a file of this request, as soon as that is known. */
  failureOf(request: object): Promise<never> {
    return new Promise((_resolve, reject) => this.failures.set(request, reject));
  }

  /** Multer tells of what it refuses itself only once all has been sent: so it is seen here. */
  private feed(request: Readable, form: Writable): void {
    const refuse = (field: string, message: string): void =>
      this.failures.get(request)?.(
        new DomainError('invalid', 'validation_failed', `${field}: ${message}`, {
          field,
          errors: [{ field, message }],
          hint: 'Send multipart/form-data with parts named files.',
        }),
      );
    form.once('filesLimit', () => refuse('files', `must be at most ${MOST_UPLOADS}`));
    form.once('fieldsLimit', () => refuse('files', 'must be the only parts of the form'));
    form.on('file', (name: string) => name === 'files' || refuse(name, 'must be named files'));
    form.once('error', () => refuse('files', 'must be a whole form'));
    request.pipe(form);
  }

  _handleFile(request: AuthenticatedRequest, file: Incoming, done: Stored): void {
    const failed = (error: unknown): void => {
      this.failures.get(request)?.(error);
      done(error);
    };
    this.receive(request, file).then((stored) => done(undefined, stored), failed);
  }

  /** Called for each file that was kept when the upload fails as a whole. */
  _removeFile(_request: unknown, { staged }: Partial<UploadedFile>, done: Stored): void {
    const removed = staged ? this.workspaces.staging.remove(staged) : Promise.resolve();
    removed.then(() => done(), done);
  }

  private async receive(request: AuthenticatedRequest, { originalname, stream }: Incoming): Promise<UploadedFile> {
    let query = this.queries.get(request);
    if (!query) this.queries.set(request, (query = this.check(request)));
    const { path } = await query;
    const target = path ? `${path}/${originalname}` : originalname;
    parsePath(target);
    return { path: target, staged: await this.workspaces.staging.receive(stream) };
  }

  private async check(request: AuthenticatedRequest): Promise<UploadQueryDto> {
    const { principal, query } = request;
    if (!principal) throw new DomainError('internal', 'principal_missing', 'An upload came without a principal.');
    const checked = (await validationPipe().transform(query, {
      type: 'query',
      metatype: UploadQueryDto,
    })) as UploadQueryDto;
    await this.sessions.get(accessOf(principal), checked.sessionId);
    return checked;
  }
}

/** @throws DomainError invalid `validation_failed` when there is none */
export function wholeUpload(files: UploadedFile[] | undefined): UploadedFile[] {
  if (files?.length) return files;
  throw new DomainError('invalid', 'validation_failed', 'files: must be there, each as a part of a form.', {
    field: 'files',
    hint: 'Send multipart/form-data with parts named files.',
  });
}
