import type { StoredPart } from './message.schema';

/** A blob that a part refers to, and where in the part. */
export interface BlobReference {
  field: string;
  blobId: string;
}

/** Every blob that a part refers to: whatever copies or checks messages must heed them all. */
export function blobsIn(part: StoredPart): BlobReference[] {
  const found: BlobReference[] = [];
  if ('blobId' in part && part.blobId !== undefined) found.push({ field: 'blobId', blobId: part.blobId });
  if (part.type === 'tool_result')
    for (const [index, { blobId }] of (part.images ?? []).entries())
      found.push({ field: `images[${index}].blobId`, blobId });
  return found;
}

/** The part with other blobs in place of its own. @param blobs the new id of each that it refers to */
export function withBlobs(part: StoredPart, blobs: ReadonlyMap<string, string>): StoredPart {
  if (!blobsIn(part).length) return part;
  const renewed = { ...part };
  if ('blobId' in renewed && renewed.blobId !== undefined) renewed.blobId = blobs.get(renewed.blobId)!;
  if (renewed.type === 'tool_result' && renewed.images)
    renewed.images = renewed.images.map((image) => ({ ...image, blobId: blobs.get(image.blobId)! }));
  return renewed;
}
