import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHeader, type Frame, type FrameHeader, FrameReader } from '../../../engine/distributed/frame.ts';

const header: FrameHeader = { operation: 'allReduce mean', rank: 3, sequence: 4_000_000_000, part: 1, count: 70_000 };

function streamOf(payloads: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(payloads.flatMap((payload) => [encodeHeader(header, payload.length), payload]));
}

describe('frames', () => {
  test('come out as they went in, wherever the stream is cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 80 }), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 }),
        (payloads, cuts) => {
          const stream = streamOf(payloads);
          const reader = new FrameReader();
          const seen: Frame[] = [];
          let offset = 0;
          for (let i = 0; offset < stream.length; i++) {
            const end = offset + (cuts[i % cuts.length] ?? 1);
            reader.push(stream.subarray(offset, end), (frame) => seen.push(frame));
            offset = end;
          }
          expect(seen.map((frame) => [...frame.payload])).toEqual(payloads.map((payload) => [...payload]));
          for (const frame of seen) expect(frame).toMatchObject(header);
        },
      ),
    );
  });

  test('a released buffer is lent again, one in use is not', () => {
    const reader = new FrameReader();
    const seen: Frame[] = [];
    const payload = new Uint8Array(16).fill(7);
    reader.push(streamOf([payload, payload]), (frame) => seen.push(frame));
    expect(seen[0]?.payload.buffer).not.toBe(seen[1]?.payload.buffer);
    if (seen[0]) reader.release(seen[0].payload);
    reader.push(streamOf([payload]), (frame) => seen.push(frame));
    expect(seen[2]?.payload.buffer).toBe(seen[0]?.payload.buffer);
  });

  test.each([
    { id: 'another protocol', bytes: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), message: 'not frames' },
    { id: 'a huge frame', bytes: encodeHeader(header, 1e9), message: 'larger than allowed' },
  ])('$id is refused', ({ bytes, message }) => {
    const reader = new FrameReader(1e6);
    expect(() => reader.push(bytes, () => undefined)).toThrow(message);
  });
});
