import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Fields of a protocol buffer by number: the few kinds that TensorFlow's graph messages are made of. */
export class ProtobufWriter {
  readonly #writer: BinaryWriter;

  constructor(writer = new BinaryWriter()) {
    this.#writer = writer;
  }

  /** int32, int64 or enum. */
  int(field: number, value: number): this {
    this.#writer.tag(field, WireType.Varint).int64(value);
    return this;
  }

  bool(field: number, value: boolean): this {
    this.#writer.tag(field, WireType.Varint).bool(value);
    return this;
  }

  float(field: number, value: number): this {
    this.#writer.tag(field, WireType.Bit32).float(value);
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.#writer.tag(field, WireType.LengthDelimited).bytes(value);
    return this;
  }

  string(field: number, value: string): this {
    this.#writer.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }

  message(field: number, write: (inner: ProtobufWriter) => void): this {
    this.#writer.tag(field, WireType.LengthDelimited).fork();
    write(this);
    this.#writer.join();
    return this;
  }

  /** One entry of a `map<string, Message>`. */
  entry(field: number, key: string, write: (inner: ProtobufWriter) => void): this {
    return this.message(field, (entry) => entry.string(1, key).message(2, write));
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}
