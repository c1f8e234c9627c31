/** Bytes of a piece of memory; what needs more than an eighth of it gets memory of its own. */
const pieceSize = 2 ** 16;

let piece = new ArrayBuffer(pieceSize);
let used = 0;

/**
 * Zeros for what lives only until an image lies in its batch: colour tables, windows. Asking the system for a few kilobytes
 * takes longer (3 to 4 µs) than filling them, so many of them lie in one piece of memory, which is freed with the last of
 * them. What is to be kept for long is copied out (`slice`): it would keep its whole piece.
 */
export function scratchFloats(length: number): Float32Array {
  if (length * 4 > pieceSize / 8) return new Float32Array(length);
  const start = take(length * 4);
  return new Float32Array(piece, start, length);
}

/** See `scratchFloats`. */
export function scratchBytes(length: number): Uint8Array {
  if (length > pieceSize / 8) return new Uint8Array(length);
  const start = take(length);
  return new Uint8Array(piece, start, length);
}

/** Where in `piece` so many bytes are free, a new one if need be. */
function take(bytes: number): number {
  if (used + bytes > pieceSize) {
    piece = new ArrayBuffer(pieceSize);
    used = 0;
  }
  const start = used;
  // floats begin at multiples of four
  used += (bytes + 3) & ~3;
  return start;
}
