import { isModelImage } from './model-image';

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');
const be16 = (n: number): number[] => [n >> 8, n & 0xff];

/** A red dot, with another size written into its head. */
function png(width: number, height: number): Buffer {
  const bytes = bytesOf(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  );
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

/** Segments as encoders write them: a table that looks like a frame, then the frame's head, the scan and the end. */
function jpeg(width: number, height: number, frame = 0xc0): Buffer {
  const segment = (marker: number, ...data: number[]): number[] => [0xff, marker, ...be16(data.length + 2), ...data];
  return Buffer.from([
    ...[0xff, 0xd8],
    ...segment(0xe0, ...Buffer.from('JFIF\0')),
    ...segment(0xc4, 8, ...be16(9_999), ...be16(9_999)),
    ...segment(frame, 8, ...be16(height), ...be16(width), 1, 1, 0x11, 0),
    ...segment(0xda, 1, 1, 0, 0, 63, 0),
    ...[0x3f, 0xff, 0xd9],
  ]);
}

const WEBP = {
  lossy: 'UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA',
  lossless: 'UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==',
  extended:
    'UklGRkoAAABXRUJQVlA4WAoAAAAQAAAAAAAAAAAAQUxQSAwAAAARBxAR/Q9ERP8DAABWUDggGAAAABQBAJ0BKgEAAQAAAP4AAA3AAP7mtQAAAA==',
};
/** With the bits of the size at that place replaced. */
function webp(form: keyof typeof WEBP, at: number, ...size: number[]): Buffer {
  const bytes = bytesOf(WEBP[form]);
  bytes.set(size, at);
  return bytes;
}

describe('an image of a tool that is shown to models', () => {
  it.each<[string, Buffer, string]>([
    ['PNG', png(1, 1), 'image/png'],
    ['PNG with something after its end', Buffer.concat([png(1, 1), Buffer.from('more')]), 'image/png'],
    ['PNG as large as may be', png(2_000, 2_000), 'image/png'],
    ['JPEG', jpeg(640, 480), 'image/jpeg'],
    ['progressive JPEG', jpeg(640, 480, 0xc2), 'image/jpeg'],
    ['lossy WebP', bytesOf(WEBP.lossy), 'image/webp'],
    ['lossless WebP', bytesOf(WEBP.lossless), 'image/webp'],
    ['extended WebP', bytesOf(WEBP.extended), 'image/webp'],
  ])('is a %s', (_what, bytes, mediaType) => {
    expect(isModelImage(bytes, mediaType)).toBe(true);
  });

  const gif = bytesOf('R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==');
  const vector = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>');
  const huge = Buffer.concat([png(1, 1).subarray(0, 33), Buffer.alloc(4_000_000), png(1, 1).subarray(33)]);
  it.each<[string, Buffer, string]>([
    ['of another form than it says', png(1, 1), 'image/jpeg'],
    ['of another form than it says, the other way', jpeg(1, 1), 'image/png'],
    ['of another form than it says, either way', png(1, 1), 'image/webp'],
    ['text', Buffer.from('no image at all, whatever it says of itself'), 'image/png'],
    ['empty', Buffer.alloc(0), 'image/png'],
    ['a PNG that breaks off', png(1, 1).subarray(0, 50), 'image/png'],
    ['a PNG that breaks off in its head', png(1, 1).subarray(0, 18), 'image/png'],
    ['a JPEG that breaks off', jpeg(1, 1).subarray(0, -1), 'image/jpeg'],
    ['a JPEG without a frame', Buffer.from('ffd8ffe000020000ffd9', 'hex'), 'image/jpeg'],
    ['a WebP that breaks off', bytesOf(WEBP.lossy).subarray(0, -1), 'image/webp'],
    ['a WebP of an unknown kind', webp('lossy', 15, 0x5a), 'image/webp'],
    ['a GIF, which Gemini does not take', gif, 'image/gif'],
    ['an SVG', vector, 'image/svg+xml'],
    ['of a type that only sounds like one', png(1, 1), 'constructor'],
    ['too many bytes', huge, 'image/png'],
    ['too wide a PNG', png(2_001, 1), 'image/png'],
    ['too high a PNG', png(1, 2_001), 'image/png'],
    ['an empty PNG', png(0, 1), 'image/png'],
    ['too wide a JPEG', jpeg(2_001, 1), 'image/jpeg'],
    ['too high a JPEG', jpeg(1, 2_001), 'image/jpeg'],
    ['too wide a lossy WebP', webp('lossy', 26, 0xd1, 0x07), 'image/webp'],
    ['too wide a lossless WebP', webp('lossless', 21, 0xd0, 0x07), 'image/webp'],
    ['too high an extended WebP', webp('extended', 27, 0xd0, 0x07), 'image/webp'],
  ])('is not %s', (_what, bytes, mediaType) => {
    expect(isModelImage(bytes, mediaType)).toBe(false);
  });
});
