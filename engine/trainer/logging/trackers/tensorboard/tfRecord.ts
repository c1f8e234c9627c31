import { maskedCrc32c } from './crc32c.ts';

/**
 * One record of a TFRecord file, all little-endian: uint64 length, masked CRC-32C of the length, the data, masked CRC-32C
 * of the data (tensorflow/core/lib/io/record_writer.h).
 */
export function frameRecord(data: Uint8Array): Uint8Array {
  const record = new Uint8Array(data.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(record.subarray(0, 8)), true);
  record.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return record;
}
