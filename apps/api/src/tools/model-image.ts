/**
 * Bytes and pixels a side that every vendor takes in any conversation. Anthropic refuses an image of more than 5 MB of
 * base64, of more than 8,000 pixels a side, and of more than 2,000 where a request has over 20 images
 * (platform.claude.com, Vision, "General limits"; anthropics/claude-code#13480).
 */
const MAX_BYTES = (5 * 1_048_576 * 3) / 4;
const MAX_SIDE = 2_000;

interface Size {
  width: number;
  height: number;
}

/**
 * The forms that every vendor takes, and how large an image says it is; undefined where the bytes are no whole image of
 * that form. GIF is not among them: Gemini takes none (ai.google.dev, Image understanding; microsoft/vscode#286628).
 */
const FORMS: Readonly<Record<string, (bytes: Buffer) => Size | undefined>> = {
  'image/png': pngSize,
  'image/jpeg': jpegSize,
  'image/webp': webpSize,
};

/**
 * Whether every vendor takes these bytes as an image of that media type. One that a vendor refuses would have each later
 * request of its conversation refused with it, so in doubt it is none.
 */
export function isModelImage(bytes: Buffer, mediaType: string): boolean {
  if (bytes.length > MAX_BYTES || !Object.hasOwn(FORMS, mediaType)) return false;
  const size = FORMS[mediaType](bytes);
  return !!size && [size.width, size.height].every((side) => side > 0 && side <= MAX_SIDE);
}

const PNG_HEAD = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
const PNG_END = Buffer.from('0000000049454e44ae426082', 'hex');

function pngSize(bytes: Buffer): Size | undefined {
  if (!bytes.subarray(0, PNG_HEAD.length).equals(PNG_HEAD) || !bytes.includes(PNG_END)) return undefined;
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

/** Segments up to the frame's header (any SOF but the tables DHT, JPG and DAC between them), which has the size. */
function jpegSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 4 || bytes.readUInt16BE(0) !== 0xffd8 || bytes.lastIndexOf('ffd9', undefined, 'hex') < 0)
    return undefined;
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    const marker = bytes[at + 1];
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker))
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
  }
  return undefined;
}

/** The container says how long it is; its first chunk, of one of three kinds, has the size. */
function webpSize(bytes: Buffer): Size | undefined {
  if (bytes.length < 30 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.readUInt32LE(4) + 8 > bytes.length)
    return undefined;
  switch (bytes.toString('latin1', 8, 16)) {
    case 'WEBPVP8 ':
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case 'WEBPVP8L': {
      const packed = bytes.readUInt32LE(21);
      return { width: (packed & 0x3fff) + 1, height: ((packed >> 14) & 0x3fff) + 1 };
    }
    case 'WEBPVP8X':
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
