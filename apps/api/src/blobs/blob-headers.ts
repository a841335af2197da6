import { attachment } from '../http/attachment';
import type { BlobRecord } from './blobs.service';

/** Images that hold no script and that browsers show as what they are; everything else is plain bytes. */
const SAFE_IMAGES = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif']);

/** What a download is sent with: nothing a user stored is ever run or shown as a page of this origin. */
export function blobHeaders({ id, mediaType, name, sha256 }: Omit<BlobRecord, 'bytes'>): Record<string, string> {
  return {
    'Content-Type': SAFE_IMAGES.has(mediaType) ? mediaType : 'application/octet-stream',
    ...attachment(name ?? id),
    'Cache-Control': 'private, max-age=31536000, immutable',
    ETag: `"${sha256}"`,
  };
}
