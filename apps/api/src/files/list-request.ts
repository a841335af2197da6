import { DomainError } from '@scorpio/kernel';
import type { ListFilesDto } from './file-requests.dto';
import type { ListRequest } from './files.service';

/** A list's cursor is the path of its last entry. @throws DomainError invalid `cursor_invalid` */
export function listRequest({ cursor, ...input }: ListFilesDto): ListRequest {
  if (cursor === undefined) return input;
  const after = Buffer.from(cursor, 'base64url').toString('utf8');
  if (after === '' || Buffer.from(after).toString('base64url') !== cursor)
    throw new DomainError('invalid', 'cursor_invalid', 'The cursor is not one this list gave out.', {
      field: 'cursor',
    });
  return { ...input, after };
}
