import { EngineError } from '../../api/errors.ts';
import { OpenFile } from '../files/openFile.ts';

/** What a WAV file's header says. */
export interface WavHeader {
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples in each channel. */
  readonly frames: number;
  readonly encoding: 'int' | 'float';
  readonly bits: number;
  /** Where the samples begin, in bytes. */
  readonly dataStart: number;
}

const PCM = 1;
const IEEE_FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/**
 * Opens a RIFF WAVE file by its header alone: PCM of 8, 16, 24 or 32 bits, float of 32 or 64, also in the extensible
 * form. Throws `data.wav` with path and reason: no WAV, another encoding, cut off.
 */
export function openWav(path: string): { readonly file: OpenFile; readonly header: WavHeader } {
  const file = new OpenFile(path);
  const head = file.readUpTo(0, 12);
  if (ascii(head, 0) !== 'RIFF' || ascii(head, 8) !== 'WAVE') {
    throw bad(path, 0, `is no WAV file: it begins with ${describe(head)}, not with 'RIFF' and 'WAVE'`);
  }
  let format: Format | undefined;
  let place = 12;
  while (place + 8 <= file.size) {
    const chunk = file.read(place, 8);
    const id = ascii(chunk, 0);
    const size = view(chunk).getUint32(4, true);
    const start = place + 8;
    if (id === 'fmt ') format = readFormat(path, start, file.readUpTo(start, Math.min(size, 40)));
    if (id === 'data') {
      if (format === undefined) throw bad(path, place, `has no 'fmt ' chunk before its samples`);
      return { file, header: headerOf(path, file.size, format, start, size) };
    }
    // chunks begin at even places
    place = start + size + (size % 2);
  }
  throw bad(path, file.size, `has no 'data' chunk; it is cut off`);
}

interface Format extends Pick<WavHeader, 'sampleRate' | 'channels' | 'encoding' | 'bits'> {
  readonly frameSize: number;
}

function readFormat(path: string, place: number, bytes: Uint8Array): Format {
  if (bytes.length < 16) throw bad(path, place, `has a 'fmt ' chunk of ${bytes.length} bytes; it is cut off`);
  const fields = view(bytes);
  const tag = fields.getUint16(0, true);
  // the extensible form has the real tag in the first two bytes of its sub-format
  const code = tag === EXTENSIBLE && bytes.length >= 26 ? fields.getUint16(24, true) : tag;
  const channels = fields.getUint16(2, true);
  const sampleRate = fields.getUint32(4, true);
  const frameSize = fields.getUint16(12, true);
  const bits = fields.getUint16(14, true);
  const encoding = code === PCM ? 'int' : 'float';
  const isKnown = (code === PCM && [8, 16, 24, 32].includes(bits)) || (code === IEEE_FLOAT && [32, 64].includes(bits));
  if (!isKnown) {
    throw bad(
      path,
      place,
      `holds format ${code} of ${bits} bits; PCM of 8, 16, 24 or 32 bits and float of 32 or 64 can be read. Convert it, for example with ffmpeg -i IN -c:a pcm_s16le OUT.wav`,
    );
  }
  if (channels === 0 || sampleRate === 0 || frameSize !== (channels * bits) / 8) {
    throw bad(
      path,
      place,
      `has a header that does not fit together: ${channels} channels of ${bits} bits in ${frameSize} bytes at ${sampleRate} Hz`,
    );
  }
  return { sampleRate, channels, encoding, bits, frameSize };
}

function headerOf(path: string, fileSize: number, format: Format, dataStart: number, size: number): WavHeader {
  // recorders that stream write 0 or the largest number: the samples then go on to the end of the file
  const isOpen = size === 0xffffffff || (size === 0 && fileSize > dataStart);
  const bytes = isOpen ? fileSize - dataStart : size;
  if (dataStart + bytes > fileSize) {
    throw bad(path, fileSize, `is cut off: its samples end at byte ${dataStart + bytes}, the file at ${fileSize}`);
  }
  const { frameSize, ...rest } = format;
  return { ...rest, frames: Math.floor(bytes / frameSize), dataStart };
}

/**
 * Frames `start` to `start + count` of the file as float32 [count · channels], channel after channel in each frame;
 * whole numbers become −1 … 1 (divided by 2^(bits−1), as TensorFlow's decode_wav and torchaudio do). Only these bytes are
 * read.
 */
export function readWavFrames(file: OpenFile, header: WavHeader, start: number, count: number): Float32Array {
  const { channels, bits, encoding, dataStart } = header;
  const size = bits / 8;
  const bytes = file.read(dataStart + start * channels * size, count * channels * size);
  const samples = view(bytes);
  const values = new Float32Array(count * channels);
  for (let i = 0; i < values.length; i++) {
    const at = i * size;
    if (encoding === 'float') values[i] = bits === 32 ? samples.getFloat32(at, true) : samples.getFloat64(at, true);
    else if (bits === 8) values[i] = (samples.getUint8(at) - 128) / 128;
    else if (bits === 16) values[i] = samples.getInt16(at, true) / 2 ** 15;
    else if (bits === 24) values[i] = (samples.getUint16(at, true) + samples.getInt8(at + 2) * 65536) / 2 ** 23;
    else values[i] = samples.getInt32(at, true) / 2 ** 31;
  }
  return values;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function ascii(bytes: Uint8Array, start: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + 4));
}

function describe(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return bytes.length === 0 ? 'nothing (it is empty)' : `the bytes ${shown}`;
}

function bad(path: string, offset: number, what: string): EngineError {
  return new EngineError('data.wav', `${path} ${what} (byte ${offset}).`, { path, offset });
}
