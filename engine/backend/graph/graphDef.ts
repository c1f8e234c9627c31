import { EngineError } from '../../api/errors.ts';
import type { NativeAttribute } from '../nativeBinding.ts';
import { ProtobufWriter } from './protobuf.ts';

/** `DataType` of TensorFlow's types.proto, the same numbers as the binding's `TF_…`. */
export const DataType = {
  float: 1,
  int32: 3,
  uint8: 4,
  string: 7,
  complex64: 8,
  int64: 9,
  bool: 10,
  resource: 20,
} as const;

/** A tensor's value as TensorFlow stores it: little endian, row-major. */
export interface ConstantValue {
  readonly dtype: number;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export type AttributeValue =
  | { readonly kind: 'native'; readonly attribute: NativeAttribute }
  | { readonly kind: 'type'; readonly type: number }
  | { readonly kind: 'shape'; readonly shape: readonly number[] | undefined }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'tensor'; readonly tensor: ConstantValue };

/** One node; inputs are `name:output`, with `^name` for "only after". */
export interface GraphNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** What a signature promises: tensors by the names that callers use. */
export interface Signature {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly outputs: Readonly<Record<string, TensorInfo>>;
}

export interface TensorInfo {
  /** `node:output` */
  readonly tensor: string;
  readonly dtype: number;
  /** A dimension of -1 is free. */
  readonly shape: readonly number[];
}

/** Attribute kinds of the C API (`TF_AttrType`), as the binding takes them. */
const attrString = 0;
const attrInt = 1;
const attrFloat = 2;
const attrBool = 3;
const attrType = 4;
const attrShape = 5;

/** The graph version that the nodes are written for: TensorFlow 2.4's, the oldest that the binding's C API fits. */
const producerVersion = 561;

/** A SavedModel with one meta graph, tagged `serve`, as `saved_model.pb` holds it (saved_model.proto). */
export function encodeSavedModel(
  nodes: readonly GraphNode[],
  signatures: Readonly<Record<string, Signature>> = {},
): Uint8Array {
  const writer = new ProtobufWriter();
  writer.int(1, 1).message(2, (metaGraph) => {
    metaGraph.message(1, (info) => info.string(4, 'serve'));
    metaGraph.bytes(2, encodeGraph(nodes));
    for (const [name, signature] of Object.entries(signatures))
      metaGraph.entry(5, name, (inner) => writeSignature(inner, signature));
  });
  return writer.finish();
}

/** A GraphDef (graph.proto), which TensorBoard and Netron read too. */
export function encodeGraph(nodes: readonly GraphNode[]): Uint8Array {
  const writer = new ProtobufWriter();
  for (const node of nodes) writer.message(1, (inner) => writeNode(inner, node));
  writer.message(4, (versions) => versions.int(1, producerVersion));
  return writer.finish();
}

function writeNode(writer: ProtobufWriter, node: GraphNode): void {
  writer.string(1, node.name).string(2, node.op);
  for (const input of node.inputs) writer.string(3, input);
  for (const [name, value] of Object.entries(node.attributes))
    writer.entry(5, name, (inner) => writeAttribute(inner, value));
}

function writeAttribute(writer: ProtobufWriter, value: AttributeValue): void {
  switch (value.kind) {
    case 'native':
      writeNative(writer, value.attribute);
      return;
    case 'type':
      writer.int(6, value.type);
      return;
    case 'shape':
      writer.message(7, (inner) => writeShape(inner, value.shape));
      return;
    case 'int':
      writer.int(3, value.value);
      return;
    case 'bool':
      writer.bool(5, value.value);
      return;
    case 'string':
      writer.string(2, value.value);
      return;
    case 'tensor':
      writer.message(8, (inner) => writeTensor(inner, value.tensor));
  }
}

function writeNative(writer: ProtobufWriter, { name, type, value }: NativeAttribute): void {
  if (Array.isArray(value) && type !== attrShape) {
    writer.message(1, (list) => {
      for (const item of value) {
        if (type === attrInt) list.int(3, Math.trunc(Number(item)));
        else if (type === attrFloat) list.float(4, Number(item));
        else if (type === attrBool) list.bool(5, Boolean(item));
        else throw unknownAttribute(name, type);
      }
    });
    return;
  }
  switch (type) {
    case attrString:
      writer.string(2, String(value));
      return;
    case attrInt:
      writer.int(3, Math.trunc(Number(value)));
      return;
    case attrFloat:
      writer.float(4, Number(value));
      return;
    case attrBool:
      writer.bool(5, Boolean(value));
      return;
    case attrType:
      writer.int(6, Number(value));
      return;
    case attrShape:
      writer.message(7, (inner) => writeShape(inner, shapeOf(value)));
      return;
    default:
      throw unknownAttribute(name, type);
  }
}

function shapeOf(value: NativeAttribute['value']): readonly number[] {
  return Array.isArray(value) ? value.map(Number) : [];
}

function writeShape(writer: ProtobufWriter, shape: readonly number[] | undefined): void {
  if (shape === undefined) writer.bool(3, true);
  for (const size of shape ?? []) writer.message(2, (dimension) => dimension.int(1, size));
}

function writeTensor(writer: ProtobufWriter, { dtype, shape, bytes }: ConstantValue): void {
  writer
    .int(1, dtype)
    .message(2, (inner) => writeShape(inner, shape))
    .bytes(4, bytes);
}

function writeSignature(writer: ProtobufWriter, signature: Signature): void {
  for (const [name, info] of Object.entries(signature.inputs)) writer.entry(1, name, (inner) => writeInfo(inner, info));
  for (const [name, info] of Object.entries(signature.outputs))
    writer.entry(2, name, (inner) => writeInfo(inner, info));
  writer.string(3, 'tensorflow/serving/predict');
}

function writeInfo(writer: ProtobufWriter, info: TensorInfo): void {
  writer
    .string(1, info.tensor)
    .int(2, info.dtype)
    .message(3, (inner) => writeShape(inner, info.shape));
}

function unknownAttribute(name: string, type: number): EngineError {
  return new EngineError(
    'graph.attribute',
    `The attribute '${name}' is of a kind (${type}) that graphs are not written with.`,
    {
      name,
      type,
    },
  );
}
