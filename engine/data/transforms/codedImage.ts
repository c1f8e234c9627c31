import { type HostTensor, LateTensor } from '../hostTensor.ts';
import { scratchBytes, scratchFloats } from './scratch.ts';

/**
 * An image whose values are few: where each lies is told by a code, what each is by a table. A decoded image is one (256
 * values at most), and stays one whatever moves its pixels or changes its colours: moving needs only another way of
 * counting, colours only another table, and both are carried out in the one pass that makes the tensor. The values are to
 * the bit those that changing float32 pixels one by one would give.
 */
export interface CodedImage {
  readonly codes: Uint8Array | Uint16Array;
  /** Place in `codes` of the first value; from there on by the strides, channels side by side. */
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** What each code means: one table for all channels, or one for each. */
  readonly tables: readonly Float32Array[];
}

/** What a byte becomes: 0 … 1. */
const fractions = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Of bytes in rows from the top, channels last. */
export function codedImage(bytes: Uint8Array, height: number, width: number, channels: number): CodedImage {
  const strides = { offset: 0, rowStride: width * channels, columnStride: channels };
  return { codes: bytes, ...strides, height, width, channels, tables: [fractions] };
}

export function isCodedImage(image: HostTensor | CodedImage): image is CodedImage {
  return 'codes' in image;
}

/** float32 [height, width, channels]. */
export function decodeCodes(image: CodedImage): HostTensor {
  const { height, width, channels } = image;
  const data = new Float32Array(height * width * channels);
  writeValues(image, data, 0);
  return { data, shape: [height, width, channels], dtype: 'float32' };
}

/** The same, made where it is needed. */
export function decodeLate(image: CodedImage): LateTensor {
  const { height, width, channels } = image;
  return new LateTensor([height, width, channels], (out, at) => writeValues(image, out, at));
}

function writeValues(image: CodedImage, out: Float32Array, at: number): void {
  const { channels } = image;
  if (channels === 3) writeColors(image, out, at);
  else for (let channel = 0; channel < channels; channel++) writeChannel(image, channel, out, at + channel);
}

/** The three channels at once, which is half as long as one after the other. */
function writeColors(image: CodedImage, out: Float32Array, at: number): void {
  const { codes, offset, rowStride, columnStride, height, width } = image;
  const [red, green, blue] = [tableOf(image, 0), tableOf(image, 1), tableOf(image, 2)];
  let to = at;
  for (let row = 0; row < height; row++) {
    let from = offset + row * rowStride;
    for (let column = 0; column < width; column++) {
      out[to] = red[codes[from] as number] as number;
      out[to + 1] = green[codes[from + 1] as number] as number;
      out[to + 2] = blue[codes[from + 2] as number] as number;
      from += columnStride;
      to += 3;
    }
  }
}

function writeChannel(image: CodedImage, channel: number, out: Float32Array, at: number): void {
  const { codes, offset, rowStride, columnStride, height, width, channels } = image;
  const table = tableOf(image, channel);
  let to = at;
  for (let row = 0; row < height; row++) {
    let from = offset + row * rowStride + channel;
    for (let column = 0; column < width; column++) {
      out[to] = table[codes[from] as number] as number;
      from += columnStride;
      to += channels;
    }
  }
}

/** Writes what the values of a table become into one of the same length. */
type ChangeTable = (table: Float32Array, changed: Float32Array, channel: number) => void;

/** The same codes with other meanings. */
export function recode(image: CodedImage, change: ChangeTable): CodedImage {
  return { ...image, tables: image.tables.map((table, channel) => changedBy(change, table, channel)) };
}

/** The same codes with other meanings, channel by channel. */
export function recodeChannels(image: CodedImage, change: ChangeTable): CodedImage {
  const tables: Float32Array[] = [];
  for (let channel = 0; channel < image.channels; channel++)
    tables.push(changedBy(change, tableOf(image, channel), channel));
  return { ...image, tables };
}

function changedBy(change: ChangeTable, table: Float32Array, channel: number): Float32Array {
  const changed = scratchFloats(table.length);
  change(table, changed, channel);
  return changed;
}

export function mirrorColumns(image: CodedImage): CodedImage {
  const { offset, width, columnStride } = image;
  return { ...image, offset: offset + (width - 1) * columnStride, columnStride: -columnStride };
}

export function mirrorRows(image: CodedImage): CodedImage {
  const { offset, height, rowStride } = image;
  return { ...image, offset: offset + (height - 1) * rowStride, rowStride: -rowStride };
}

/** The window at (top, left), which may reach outside: `fill` is there. */
export function cutOut(
  image: CodedImage,
  [top, left]: readonly [number, number],
  [height, width]: readonly [number, number],
  fill: number,
): CodedImage {
  const { offset, rowStride, columnStride } = image;
  if (top >= 0 && left >= 0 && top + height <= image.height && left + width <= image.width) {
    return { ...image, offset: offset + top * rowStride + left * columnStride, height, width };
  }
  return cutOutFilled(image, [top, left], [height, width], fill);
}

function cutOutFilled(
  image: CodedImage,
  [top, left]: readonly [number, number],
  [height, width]: readonly [number, number],
  fill: number,
): CodedImage {
  const { channels } = image;
  const { code, tables } = codeOf(fill, image.tables);
  const length = height * width * channels;
  const cut = code < 256 ? scratchBytes(length) : new Uint16Array(length);
  if (code !== 0) cut.fill(code);
  const window = { top, left, height, width };
  const inRows = image.columnStride === channels && image.rowStride === image.width * channels;
  if (inRows && width === image.width) copyShifted(image, window, code, cut);
  else copyWindow(image, window, cut);
  return {
    ...image,
    codes: cut,
    offset: 0,
    rowStride: width * channels,
    columnStride: channels,
    height,
    width,
    tables,
  };
}

interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** The rows and columns of a window that lie inside of the image. */
function insideOf(image: CodedImage, { top, left, height, width }: Window) {
  return {
    firstRow: Math.max(0, -top),
    endRow: Math.min(height, image.height - top),
    firstColumn: Math.max(0, -left),
    endColumn: Math.min(width, image.width - left),
  };
}

function copyWindow(image: CodedImage, window: Window, cut: CodedImage['codes']): void {
  const { codes, offset, rowStride, columnStride, channels } = image;
  const { top, left, width } = window;
  const { firstRow, endRow, firstColumn, endColumn } = insideOf(image, window);
  for (let row = firstRow; row < endRow; row++) {
    let from = offset + (row + top) * rowStride + (firstColumn + left) * columnStride;
    let to = (row * width + firstColumn) * channels;
    const end = (row * width + endColumn) * channels;
    if (columnStride === channels) {
      if (to < end) cut.set(codes.subarray(from, from + end - to), to);
      continue;
    }
    while (to < end) {
      for (let channel = 0; channel < channels; channel++) cut[to++] = codes[from + channel] as number;
      from += columnStride;
    }
  }
}

/**
 * The window of an image that lies in one piece and is as wide: all of it at once, and what so came in from the rows next
 * to it written over. A copy for each row of a small image takes longer than its pixels.
 */
function copyShifted(image: CodedImage, window: Window, code: number, cut: CodedImage['codes']): void {
  const { codes, offset, channels } = image;
  const { top, left, width } = window;
  const { firstRow, endRow, firstColumn, endColumn } = insideOf(image, window);
  if (firstRow >= endRow || firstColumn >= endColumn) return;
  const start = (firstRow * width + firstColumn) * channels;
  const end = ((endRow - 1) * width + endColumn) * channels;
  const shift = offset + (top * width + left) * channels;
  cut.set(codes.subarray(start + shift, end + shift), start);
  for (let row = firstRow; row < endRow; row++) {
    const at = row * width * channels;
    for (let i = at; i < at + firstColumn * channels; i++) cut[i] = code;
    for (let i = at + endColumn * channels; i < at + width * channels; i++) cut[i] = code;
  }
}

/** The code of a value, which is given one where it has none. */
function codeOf(value: number, tables: readonly Float32Array[]): { code: number; tables: readonly Float32Array[] } {
  const { length } = tables[0] ?? fractions;
  const rounded = Math.fround(value);
  for (let code = 0; code < length; code++) {
    if (tables.every((table) => Object.is(table[code], rounded))) return { code, tables };
  }
  const longer = tables.map((table) => {
    const extended = new Float32Array(length + 1);
    extended.set(table);
    extended[length] = value;
    return extended;
  });
  return { code: length, tables: longer };
}

export function tableOf({ tables }: CodedImage, channel: number): Float32Array {
  return tables[tables.length === 1 ? 0 : channel] ?? fractions;
}
