import { attributesOf } from './attributes.ts';
import { type AttributeValue, DataType, type GraphNode } from './graphDef.ts';
import { nodeOf } from './graphReaders.ts';
import { maskPooled } from './maskPooled.ts';
import { mergePoolings } from './mergePoolings.ts';
import type { Input, Operation, OperationOutput, Value } from './recording.ts';
import { rectifyPooled } from './rectifyPooled.ts';
import { sumPooled } from './sumPooled.ts';

/** A variable inside the graph's session. Its key is what recordings call it as an input. */
export interface Cell {
  readonly key: string;
  readonly dtype: number;
  readonly shape: readonly number[];
}

/** What one run of a graph can do. Parts share the cells and nothing else. */
export interface GraphPart {
  readonly operations: readonly Operation[];
  /** What callers may fetch, by names of their own. */
  readonly outputs: Readonly<Record<string, Value>>;
  /** New values of cells at the end, where they were not written by an operation on the handle. */
  readonly assigns?: readonly { readonly cell: string; readonly value: Value }[];
  /** Results of other parts that lie in cells by the time this one runs: the cells' keys. */
  readonly held?: ReadonlyMap<Value, string>;
  /** Inputs that are packed into one fed vector (float32 scalars), in order. */
  readonly scalars?: readonly string[];
  /** Inputs that are packed into one fed matrix of two columns (int32 pairs: seeds), in order. */
  readonly pairs?: readonly string[];
}

export interface StepGraphOptions {
  readonly parts: readonly GraphPart[];
  /** Inputs that live in the session instead of being fed. A handle's input key is `resource:` and the cell's. */
  readonly cells?: readonly Cell[];
  /** Whether XLA is to compile the recorded operations that it knows. */
  readonly xla?: boolean;
  /** Constants that are fed instead, as inputs. */
  readonly fed?: ReadonlyMap<Value, Input>;
}

export interface PartGraph {
  /** Feed name by input key; `scalars` and `pairs` are the packed ones. */
  readonly feeds: ReadonlyMap<string, string>;
  /** Tensor to fetch, by the name given in `outputs`. */
  readonly fetches: ReadonlyMap<string, string>;
  /** A float32 scalar that is there when all cells that the part changes have their new values. */
  readonly done: string;
  /** Recorded operations that it has. */
  readonly operationCount: number;
}

export interface StepGraph {
  readonly nodes: readonly GraphNode[];
  readonly parts: readonly PartGraph[];
  /** For each cell how to fetch its value, and how to set it: feed, then fetch `assigned`. */
  readonly reads: ReadonlyMap<string, string>;
  readonly assignFeeds: ReadonlyMap<string, string>;
  readonly assigned: string;
}

export const resourceKey = (cell: string): string => `resource:${cell}`;

/** Makes a graph of recordings: only what outputs and the cells' new values need, in an order that reads cells before they change. */
export function buildStepGraph(options: StepGraphOptions): StepGraph {
  return new StepGraphBuilder(options).build();
}

/** What grappler does not do by itself. */
function simplified(nodes: readonly GraphNode[], fetched: ReadonlySet<string>): readonly GraphNode[] {
  return sumPooled(rectifyPooled(maskPooled(mergePoolings(nodes, fetched), fetched), fetched));
}

class StepGraphBuilder {
  readonly #options: StepGraphOptions;
  readonly #nodes: GraphNode[] = [];
  readonly #cells: ReadonlyMap<string, Cell>;
  readonly #constants = new Map<string, string>();
  readonly #handles = new Map<string, string>();
  /** What names of nodes begin with: viewers of graphs fold those with the same. */
  #scope = variables;
  // what follows is of the part that is being built
  #part: GraphPart = { operations: [], outputs: {} };
  readonly #feeds = new Map<string, string>();
  readonly #packed = new Map<string, string>();
  readonly #operations = new Map<number, string>();
  /** Per cell: the read at the start, the last write, reads since then. */
  readonly #firstReads = new Map<string, string>();
  readonly #lastWrites = new Map<string, string>();
  readonly #readsSince = new Map<string, string[]>();

  constructor(options: StepGraphOptions) {
    this.#options = options;
    this.#cells = new Map((options.cells ?? []).map((cell) => [cell.key, cell]));
  }

  build(): StepGraph {
    for (const cell of this.#cells.values()) this.#addHandle(cell);
    const zero = this.#node('Const', [], {
      dtype: { kind: 'type', type: DataType.float },
      value: { kind: 'tensor', tensor: { dtype: DataType.float, shape: [], bytes: new Uint8Array(4) } },
    });
    const { length } = this.#options.parts;
    const parts = this.#options.parts.map((part, i) => {
      this.#scope = length === 1 ? '' : `part_${i + 1}/`;
      return this.#addPart(part, zero);
    });
    this.#scope = variables;
    const access = this.#addAccess(zero);
    const fetched = new Set(parts.flatMap(({ fetches }) => [...fetches.values()].map(nodeOf)));
    return { ...access, nodes: simplified(this.#nodes, fetched), parts };
  }

  #addPart(part: GraphPart, zero: string): PartGraph {
    this.#part = part;
    for (const map of [
      this.#feeds,
      this.#packed,
      this.#operations,
      this.#firstReads,
      this.#lastWrites,
      this.#readsSince,
    ])
      map.clear();
    const { outputs, operations, assigns = [], scalars = [], pairs = [] } = part;
    this.#addPacked('scalars', scalars, DataType.float, []);
    this.#addPacked('pairs', pairs, DataType.int32, [2]);
    const needed = this.#reachable([...Object.values(outputs), ...assigns.map(({ value }) => value)]);
    let count = 0;
    for (const operation of operations) {
      if (!needed.has(operation)) continue;
      count++;
      this.#addOperation(operation);
    }
    const fetches = new Map(Object.entries(outputs).map(([name, value]) => [name, this.#fetch(value)]));
    for (const { cell, value } of assigns) this.#assign(cell, value);
    const done = this.#node('Identity', [zero, ...[...this.#lastWrites.values()].map(after)], {
      T: { kind: 'type', type: DataType.float },
    });
    return { feeds: new Map(this.#feeds), fetches, done: `${done}:0`, operationCount: count };
  }

  #node(op: string, inputs: readonly string[], attributes: Readonly<Record<string, AttributeValue>>): string {
    // op names that begin with _ are TensorFlow's own, node names must not
    const name = `${this.#scope}${op.replace(/^_/, '')}_${this.#nodes.length}`;
    // data first, then order: TensorFlow refuses the other way round
    const sorted = [
      ...inputs.filter((input) => !input.startsWith('^')),
      ...new Set(inputs.filter((input) => input.startsWith('^'))),
    ];
    this.#nodes.push({ name, op, inputs: sorted, attributes });
    return name;
  }

  #placeholder(dtype: number, shape: readonly number[] | undefined): string {
    return this.#node('Placeholder', [], { dtype: { kind: 'type', type: dtype }, shape: { kind: 'shape', shape } });
  }

  #addHandle(cell: Cell): void {
    const name = this.#node('VarHandleOp', [], {
      dtype: { kind: 'type', type: cell.dtype },
      shape: { kind: 'shape', shape: cell.shape },
      shared_name: { kind: 'string', value: cell.key },
      container: { kind: 'string', value: '' },
    });
    this.#handles.set(cell.key, name);
  }

  #addPacked(name: string, keys: readonly string[], dtype: number, rest: readonly number[]): void {
    if (keys.length === 0) return;
    const feed = this.#placeholder(dtype, [keys.length, ...rest]);
    this.#feeds.set(name, `${feed}:0`);
    const unpacked = this.#node('Unpack', [feed], {
      T: { kind: 'type', type: dtype },
      num: { kind: 'int', value: keys.length },
      axis: { kind: 'int', value: 0 },
    });
    keys.forEach((key, i) => {
      this.#packed.set(key, `${unpacked}:${i}`);
    });
  }

  /** Operations that the roots depend on, and all that write a cell with what those depend on. */
  #reachable(roots: readonly Value[]): ReadonlySet<Operation> {
    const found = new Set<Operation>();
    const stack = [...roots];
    const visit = (operation: Operation): void => {
      if (found.has(operation)) return;
      found.add(operation);
      stack.push(...operation.inputs);
    };
    for (const operation of this.#part.operations) if (this.#writes(operation)) visit(operation);
    for (let value = stack.pop(); value !== undefined; value = stack.pop())
      if (value.kind === 'output') visit(value.operation);
    return found;
  }

  #writes(operation: Operation): boolean {
    return operation.outputs.length === 0 && operation.inputs.some((input) => this.#cellOf(input) !== undefined);
  }

  /** The cell that a handle stands for. */
  #cellOf(value: Value | undefined): string | undefined {
    if (value?.kind !== 'input' || !value.key.startsWith('resource:')) return undefined;
    return value.key.slice('resource:'.length);
  }

  #tensor(value: Value): string {
    const held = this.#cells.get(this.#part.held?.get(value) ?? '');
    if (held !== undefined) return this.#firstRead(held);
    switch (value.kind) {
      case 'output':
        return this.#outputOf(value);
      case 'constant': {
        const fed = this.#options.fed?.get(value);
        return fed === undefined ? this.#constant(value.value) : this.#input(fed);
      }
      case 'input':
        return this.#input(value);
    }
  }

  /** TensorFlow takes no name among both what is fed and what is fetched. */
  #fetch(value: Value): string {
    const tensor = this.#tensor(value);
    const fed = value.kind === 'constant' ? this.#options.fed?.get(value) : value;
    if (fed?.kind !== 'input' || ![...this.#feeds.values()].includes(tensor)) return tensor;
    return `${this.#node('Identity', [tensor], { T: { kind: 'type', type: fed.dtype } })}:0`;
  }

  #outputOf({ operation, index }: OperationOutput): string {
    const name = this.#operations.get(operation.order);
    if (name === undefined) throw new Error(`Internal error: ${operation.name} was not added to the graph`);
    return name.includes(':') ? name : `${name}:${index}`;
  }

  #constant(value: { readonly dtype: number; readonly shape: readonly number[]; readonly bytes: Uint8Array }): string {
    const key =
      value.bytes.length <= 64
        ? `${value.dtype}|${value.shape}|${Buffer.from(value.bytes).toString('hex')}`
        : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#node('Const', [], {
      dtype: { kind: 'type', type: value.dtype },
      value: { kind: 'tensor', tensor: value },
    });
    if (key !== undefined) this.#constants.set(key, `${name}:0`);
    return `${name}:0`;
  }

  #input(input: Input): string {
    const packed = this.#packed.get(input.key);
    if (packed !== undefined) return packed;
    const cell = this.#cells.get(input.key);
    if (cell !== undefined) return this.#firstRead(cell);
    const known = this.#feeds.get(input.key);
    if (known !== undefined) return known;
    const name = `${this.#placeholder(input.dtype, input.shape)}:0`;
    this.#feeds.set(input.key, name);
    return name;
  }

  #firstRead(cell: Cell): string {
    let name = this.#firstReads.get(cell.key);
    if (name === undefined) {
      name = `${this.#read(cell.key)}:0`;
      this.#firstReads.set(cell.key, name);
    }
    return name;
  }

  #read(key: string): string {
    const write = this.#lastWrites.get(key);
    const name = this.#node('ReadVariableOp', [this.#handle(key), ...(write === undefined ? [] : [after(write)])], {
      dtype: { kind: 'type', type: this.#cells.get(key)?.dtype ?? DataType.float },
    });
    this.#readsSince.set(key, [...(this.#readsSince.get(key) ?? []), name]);
    return name;
  }

  #handle(key: string): string {
    const handle = this.#handles.get(key);
    if (handle === undefined) throw new Error(`Internal error: the graph has no variable '${key}'`);
    return handle;
  }

  #addOperation(operation: Operation): void {
    const [first, second] = operation.inputs;
    const cell = this.#cellOf(first);
    if (cell !== undefined && operation.name === 'ReadVariableOp') {
      const known = this.#cells.get(cell);
      const isUnwritten = !this.#lastWrites.has(cell);
      this.#operations.set(
        operation.order,
        known !== undefined && isUnwritten ? this.#firstRead(known) : this.#read(cell),
      );
      return;
    }
    if (cell !== undefined && operation.name === 'AssignVariableOp' && second !== undefined) {
      this.#assign(cell, second);
      return;
    }
    const cells = operation.inputs.flatMap((input) => this.#cellOf(input) ?? []);
    const inputs = operation.inputs.map((input) => {
      const key = this.#cellOf(input);
      return key === undefined ? this.#tensor(input) : this.#handle(key);
    });
    const name = this.#node(operation.name, [...inputs, ...this.#orderAfter(cells)], {
      ...attributesOf(operation),
      ...(this.#options.xla && compileWithXla),
    });
    this.#operations.set(operation.order, name);
    for (const key of cells) this.#wrote(key, name);
  }

  /** Nothing to do where the new value is the cell's own. */
  #assign(key: string, value: Value): void {
    const tensor = this.#tensor(value);
    const current = this.#lastWrites.has(key)
      ? this.#readsSince.get(key)?.map((name) => `${name}:0`)
      : [this.#firstReads.get(key)];
    if (current?.includes(tensor)) return;
    const name = this.#node('AssignVariableOp', [this.#handle(key), tensor, ...this.#orderAfter([key])], {
      dtype: { kind: 'type', type: this.#cells.get(key)?.dtype ?? DataType.float },
    });
    this.#wrote(key, name);
  }

  #orderAfter(cells: readonly string[]): string[] {
    return cells.flatMap((key) => {
      const write = this.#lastWrites.get(key);
      return [...(this.#readsSince.get(key) ?? []), ...(write === undefined ? [] : [write])].map(after);
    });
  }

  #wrote(key: string, name: string): void {
    this.#lastWrites.set(key, name);
    this.#readsSince.delete(key);
  }

  /** Nodes to read and set cells from outside, apart from the step. */
  #addAccess(zero: string): Pick<StepGraph, 'reads' | 'assignFeeds' | 'assigned'> {
    const reads = new Map<string, string>();
    const assignFeeds = new Map<string, string>();
    const assigns: string[] = [];
    for (const cell of this.#cells.values()) {
      const dtype = { dtype: { kind: 'type', type: cell.dtype } } as const;
      reads.set(cell.key, `${this.#node('ReadVariableOp', [this.#handle(cell.key)], dtype)}:0`);
      const feed = this.#placeholder(cell.dtype, cell.shape);
      assignFeeds.set(cell.key, `${feed}:0`);
      // A fed tensor may lie in memory of JavaScript's, which only its own thread may let go of: never keep it in a variable.
      const copy = this.#node('DeepCopy', [feed], { T: { kind: 'type', type: cell.dtype } });
      assigns.push(this.#node('AssignVariableOp', [this.#handle(cell.key), copy], dtype));
    }
    const assigned = this.#node('Identity', [zero, ...assigns.map(after)], {
      T: { kind: 'type', type: DataType.float },
    });
    return { reads, assignFeeds, assigned: `${assigned}:0` };
  }
}

/** Read by TensorFlow's clustering; operations that XLA does not know stay outside the clusters. */
const compileWithXla = { _XlaCompile: { kind: 'bool', value: true } } as const;

/** Scope of the nodes that hold, read and set cells. */
const variables = 'variables/';

const after = (node: string): string => `^${node}`;
