export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 for grey, 3 for YCbCr. */
  readonly components: number;
}

/** Marker codes (ITU-T T.81, table B.1). */
const marker = { startOfImage: 0xd8, startOfScan: 0xda, app2: 0xe2, app14: 0xee } as const;

/** Baseline, extended and progressive, all Huffman-coded. */
const plainFrames: readonly number[] = [0xc0, 0xc1, 0xc2];

/**
 * The size of a plain JPEG file: 8 bits a value, grey or YCbCr, without a colour profile. Undefined for every other file,
 * JPEG or not, damaged or not.
 */
export function readPlainJpeg(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes[0] !== 0xff || bytes[1] !== marker.startOfImage) return undefined;
  let header: JpegHeader | undefined;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const code = bytes[at + 1] ?? 0;
    if (code === 0xff) {
      at++;
      continue;
    }
    if (code === marker.startOfScan) return header;
    const start = at + 4;
    const end = at + 2 + wordAt(bytes, at + 2);
    if (end > bytes.length) return undefined;
    if (code === marker.app2 && textAt(bytes, start, 11) === 'ICC_PROFILE') return undefined;
    // Adobe's colour transform: 1 is YCbCr, 0 leaves RGB as it is
    if (code === marker.app14 && textAt(bytes, start, 5) === 'Adobe' && bytes[start + 11] !== 1) return undefined;
    if (plainFrames.includes(code)) header = frameAt(bytes, start);
    at = end;
  }
  return undefined;
}

function frameAt(bytes: Uint8Array, start: number): JpegHeader | undefined {
  const precision = bytes[start];
  const components = bytes[start + 5] ?? 0;
  const isNamed = (index: number) => bytes[start + 6 + 3 * index] === index + 1;
  // other names of three components mean RGB to some decoders
  const isColor = components === 3 && isNamed(0) && isNamed(1) && isNamed(2);
  return precision === 8 && (components === 1 || isColor)
    ? { height: wordAt(bytes, start + 1), width: wordAt(bytes, start + 3), components }
    : undefined;
}

function wordAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}

function textAt(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}
