/** libjpeg-turbo compiled to WebAssembly. The package has no types of its own. */
declare module '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs' {
  interface Decoder {
    /** Room for the file's bytes. */
    getEncodedBuffer(length: number): Uint8Array;
    /** Throws for a file that is damaged or cut off, and never frees what it held for it. */
    decode(): void;
    /** The pixels, in memory that the next call overwrites. */
    getDecodedBuffer(): Uint8Array;
  }

  const loadCodec: () => Promise<{ readonly JPEGDecoder: new () => Decoder }>;

  export = loadCodec;
}
