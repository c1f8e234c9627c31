import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/**
 * The protocol buffers of TensorBoard's event files, field numbers as in tensorboard/compat/proto/{event,summary,tensor}
 * .proto. Only what is written here; a field that has its default is left out where proto3 would leave it out.
 */

export interface EventTime {
  /** Seconds since the epoch. */
  readonly wallTime: number;
  readonly step: number;
}

export function fileVersionEvent(wallTime: number): Uint8Array {
  const writer = eventWriter({ wallTime, step: 0 });
  return writer.tag(3, WireType.LengthDelimited).string('brain.Event:2').finish();
}

/** `SessionLog.START`: readers drop what an earlier, longer attempt wrote for this step and later ones. */
export function sessionStartEvent(time: EventTime): Uint8Array {
  const writer = eventWriter(time);
  return message(writer, 7, (log) => log.tag(1, WireType.Varint).int32(1)).finish();
}

/** A graph for TensorBoard's Graphs tab: a GraphDef, encoded. */
export function graphEvent(wallTime: number, graph: Uint8Array): Uint8Array {
  return new BinaryWriter()
    .tag(1, WireType.Bit64)
    .double(wallTime)
    .tag(4, WireType.LengthDelimited)
    .bytes(graph)
    .finish();
}

export function summaryEvent(time: EventTime, values: readonly SummaryValue[]): Uint8Array {
  const writer = eventWriter(time);
  return message(writer, 5, (summary) => {
    for (const { tag, metadata, content } of values) {
      message(summary, 1, (value) => {
        value.tag(1, WireType.LengthDelimited).string(tag);
        content(value);
        if (metadata !== undefined) writeMetadata(value, metadata);
      });
    }
  }).finish();
}

export interface SummaryValue {
  readonly tag: string;
  readonly metadata?: PluginMetadata | undefined;
  /** Writes one member of Summary.Value's oneof. */
  readonly content: (value: BinaryWriter) => void;
}

export interface PluginMetadata {
  readonly plugin: string;
  readonly content?: Uint8Array;
}

/** Summary.Value.simple_value, a float32. */
export function scalarValue(tag: string, value: number): SummaryValue {
  return { tag, content: (writer) => writer.tag(2, WireType.Bit32).float(value) };
}

export interface EncodedImage {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Channels: 1 grey, 3 RGB, 4 RGBA. */
  readonly colorspace: number;
}

export function imageValue(tag: string, image: EncodedImage): SummaryValue {
  return {
    tag,
    content: (writer) =>
      message(writer, 4, (it) => {
        it.tag(1, WireType.Varint).int32(image.height).tag(2, WireType.Varint).int32(image.width);
        it.tag(3, WireType.Varint).int32(image.colorspace).tag(4, WireType.LengthDelimited).bytes(image.png);
      }),
  };
}

export interface EncodedAudio {
  readonly wav: Uint8Array;
  readonly sampleRate: number;
  readonly channels: number;
  readonly frames: number;
}

export function audioValue(tag: string, audio: EncodedAudio): SummaryValue {
  return {
    tag,
    content: (writer) =>
      message(writer, 6, (it) => {
        it.tag(1, WireType.Bit32).float(audio.sampleRate).tag(2, WireType.Varint).int64(audio.channels);
        it.tag(3, WireType.Varint).int64(audio.frames).tag(4, WireType.LengthDelimited).bytes(audio.wav);
        it.tag(5, WireType.LengthDelimited).string('audio/wav');
      }),
  };
}

export interface HistogramValues {
  readonly minimum: number;
  readonly maximum: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Right edge of each bucket; the first bucket is open to the left. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

export function histogramValue(tag: string, values: HistogramValues): SummaryValue {
  return {
    tag,
    content: (writer) =>
      message(writer, 5, (it) => {
        const numbers = [values.minimum, values.maximum, values.count, values.sum, values.sumOfSquares];
        for (const [index, value] of numbers.entries()) it.tag(index + 1, WireType.Bit64).double(value);
        packedDoubles(it, 6, values.limits);
        packedDoubles(it, 7, values.counts);
      }),
  };
}

/** A text for the text plugin: a tensor of one string. */
export function textValue(tag: string, text: string): SummaryValue {
  return {
    tag,
    metadata: { plugin: 'text' },
    content: (writer) =>
      message(writer, 8, (tensor) => {
        tensor.tag(1, WireType.Varint).int32(7); // DT_STRING
        message(tensor, 2, (shape) => message(shape, 2, (size) => size.tag(1, WireType.Varint).int64(1)));
        tensor.tag(8, WireType.LengthDelimited).bytes(new TextEncoder().encode(text));
      }),
  };
}

/** A value that carries nothing but its plugin's data. */
export function pluginValue(tag: string, metadata: PluginMetadata): SummaryValue {
  return {
    tag,
    metadata,
    // readers take values without a tensor for broken: hparams writes this one (null_tensor of its summary_v2.py)
    content: (writer) =>
      message(writer, 8, (tensor) => {
        tensor.tag(1, WireType.Varint).int32(1); // DT_FLOAT
        // one dimension of size 0, which proto3 leaves out
        message(tensor, 2, (shape) => message(shape, 2, () => undefined));
      }),
  };
}

/** Writes field `number` as a message. */
export function message(writer: BinaryWriter, number: number, write: (inner: BinaryWriter) => unknown): BinaryWriter {
  writer.tag(number, WireType.LengthDelimited).fork();
  write(writer);
  return writer.join();
}

function eventWriter({ wallTime, step }: EventTime): BinaryWriter {
  const writer = new BinaryWriter().tag(1, WireType.Bit64).double(wallTime);
  return step === 0 ? writer : writer.tag(2, WireType.Varint).int64(step);
}

function writeMetadata(value: BinaryWriter, { plugin, content }: PluginMetadata): void {
  message(value, 9, (metadata) =>
    message(metadata, 1, (data) => {
      data.tag(1, WireType.LengthDelimited).string(plugin);
      if (content !== undefined) data.tag(2, WireType.LengthDelimited).bytes(content);
    }),
  );
}

function packedDoubles(writer: BinaryWriter, number: number, values: readonly number[]): void {
  message(writer, number, (packed) => {
    for (const value of values) packed.double(value);
  });
}
