// a project that compiles these sources along with its own finds the package's types by this line alone
/// <reference path="./libjpegTurbo.d.ts" />
import { scratchBytes } from '../transforms/scratch.ts';
import type { Pixels } from './decodedCache.ts';
import { type JpegHeader, readPlainJpeg } from './jpegHeader.ts';

/** Above this many pixels sharp, which has instructions that WebAssembly has not, is as fast. */
const mostPixels = 2 ** 16;

let loading: ReturnType<typeof loadDecoder> | undefined;

async function loadDecoder() {
  const { default: loadCodec } = await import('@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs');
  return new (await loadCodec()).JPEGDecoder();
}

/**
 * Decodes a small plain JPEG file as it is: sharp takes 0.7 ms for any image however small, some twenty times what decoding
 * 32 × 32 pixels takes. The pixels are the very same (both are libjpeg-turbo's). Undefined where `wants` says no, and for
 * every file that is not small, plain and intact: those are sharp's, and so is saying what is wrong with them.
 */
export async function decodeSmallJpeg(
  bytes: Uint8Array,
  channels: 1 | 3,
  wants: (header: JpegHeader) => boolean,
): Promise<Pixels | undefined> {
  const header = readPlainJpeg(bytes);
  if (header === undefined || header.width * header.height > mostPixels || !wants(header)) return undefined;
  if (channels < header.components) return undefined;
  loading ??= loadDecoder();
  const decoder = await loading;
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
  } catch {
    // another one next time, rather than one that has lost memory
    loading = undefined;
    return undefined;
  }
  const values = decoder.getDecodedBuffer();
  const { width, height } = header;
  if (values.length !== width * height * header.components) return undefined;
  return { data: header.components === channels ? copyOf(values) : inColor(values), info: { width, height } };
}

function copyOf(values: Uint8Array): Uint8Array {
  const copy = scratchBytes(values.length);
  copy.set(values);
  return copy;
}

function inColor(grey: Uint8Array): Uint8Array {
  const color = scratchBytes(grey.length * 3);
  for (let i = 0; i < grey.length; i++) color.fill(grey[i] ?? 0, 3 * i, 3 * i + 3);
  return color;
}
