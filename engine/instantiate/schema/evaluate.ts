import type * as Oxc from 'oxc-parser';
import type { SourceModule } from './parseModule.ts';
import type { SourceReader } from './sourceReader.ts';
import { data, type FunctionNode, type StaticValue, toNumber, toText, UNKNOWN } from './staticValue.ts';
import { zodConstructor, zodMethod } from './zodCalls.ts';

/** Names that a called function knows: its parameters. */
export type Scope = ReadonlyMap<string, StaticValue>;

const DEEPEST = 40;

/**
 * What an expression gives, worked out by reading: literals, constants of this and imported modules, zod schemas, and
 * calls of functions that do nothing but return. Anything else is unknown; no code is run.
 */
export class Evaluator {
  readonly #reader: SourceReader;
  #depth = 0;

  constructor(reader: SourceReader) {
    this.#reader = reader;
  }

  evaluate(node: Oxc.Expression | Oxc.Super, module: SourceModule, scope: Scope = new Map()): StaticValue {
    if (this.#depth > DEEPEST) return UNKNOWN;
    this.#depth++;
    try {
      return this.#evaluate(node, module, scope);
    } finally {
      this.#depth--;
    }
  }

  #evaluate(node: Oxc.Expression | Oxc.Super, module: SourceModule, scope: Scope): StaticValue {
    switch (node.type) {
      case 'Literal':
        return typeof node.value === 'bigint' || node.value instanceof RegExp ? UNKNOWN : data(node.value);
      case 'TemplateLiteral':
        return node.expressions.length === 0 ? data(node.quasis[0]?.value.cooked ?? '') : UNKNOWN;
      case 'Identifier':
        return scope.get(node.name) ?? this.#name(node.name, module);
      case 'ArrayExpression':
        return this.#array(node, module, scope);
      case 'ObjectExpression':
        return this.#object(node, module, scope);
      case 'UnaryExpression': {
        const value = this.evaluate(node.argument, module, scope);
        const isNumber = value.kind === 'data' && typeof value.value === 'number';
        return node.operator === '-' && isNumber ? data(-Number(value.value)) : UNKNOWN;
      }
      case 'BinaryExpression': {
        if (node.left.type === 'PrivateIdentifier') return UNKNOWN;
        const left = toNumber(this.evaluate(node.left, module, scope));
        const right = toNumber(this.evaluate(node.right, module, scope));
        return left === undefined || right === undefined ? UNKNOWN : arithmetic(node.operator, left, right);
      }
      case 'LogicalExpression': {
        const left = this.evaluate(node.left, module, scope);
        if (node.operator !== '??' || left.kind === 'unknown') return UNKNOWN;
        return left.kind === 'data' && left.value == null ? this.evaluate(node.right, module, scope) : left;
      }
      case 'TSAsExpression':
      case 'TSSatisfiesExpression':
      case 'TSNonNullExpression':
      case 'ParenthesizedExpression':
        return this.evaluate(node.expression, module, scope);
      case 'MemberExpression':
        return this.#member(node, module, scope);
      case 'CallExpression':
        return this.#call(node, module, scope);
      case 'ArrowFunctionExpression':
      case 'FunctionExpression':
        return { kind: 'function', node, module };
      default:
        return UNKNOWN;
    }
  }

  #name(name: string, module: SourceModule): StaticValue {
    if (name === 'undefined') return data(undefined);
    const imported = module.imported.get(name);
    if (imported?.specifier === 'zod') return { kind: 'zod' };
    const found = this.#reader.local(module, name);
    if (found?.declaration.type === 'FunctionDeclaration') {
      return { kind: 'function', node: found.declaration, module: found.module };
    }
    if (found?.declaration.type !== 'VariableDeclarator' || found.declaration.init === null) return UNKNOWN;
    return this.evaluate(found.declaration.init, found.module);
  }

  #array(node: Oxc.ArrayExpression, module: SourceModule, scope: Scope): StaticValue {
    const items: StaticValue[] = [];
    for (const element of node.elements) {
      if (element === null) return UNKNOWN;
      if (element.type !== 'SpreadElement') items.push(this.evaluate(element, module, scope));
      else {
        const spread = this.evaluate(element.argument, module, scope);
        if (spread.kind !== 'list') return UNKNOWN;
        items.push(...spread.items);
      }
    }
    return { kind: 'list', items };
  }

  #object(node: Oxc.ObjectExpression, module: SourceModule, scope: Scope): StaticValue {
    const entries = new Map<string, StaticValue>();
    for (const property of node.properties) {
      if (property.type === 'SpreadElement') {
        const spread = this.evaluate(property.argument, module, scope);
        if (spread.kind !== 'object') return UNKNOWN;
        for (const [key, value] of spread.entries) entries.set(key, value);
        continue;
      }
      const key = propertyName(property.key, property.computed);
      if (key === undefined) return UNKNOWN;
      entries.set(key, this.evaluate(property.value, module, scope));
    }
    return { kind: 'object', entries };
  }

  #member(node: Oxc.MemberExpression, module: SourceModule, scope: Scope): StaticValue {
    const name = memberName(node);
    const holder = this.evaluate(node.object, module, scope);
    if (name === undefined) return UNKNOWN;
    // `z.coerce.number` and `import * as zod` then `zod.z.number`.
    if (holder.kind === 'zod') return name === 'coerce' || name === 'z' ? holder : UNKNOWN;
    if (holder.kind === 'object') return holder.entries.get(name) ?? data(undefined);
    if (holder.kind === 'schema' && name === 'shape') {
      const required = new Set(holder.schema.required);
      const members = Object.entries(holder.schema.properties ?? {}).map(
        ([key, schema]) => [key, { kind: 'schema', schema, isOptional: !required.has(key) }] as const,
      );
      return { kind: 'object', entries: new Map(members) };
    }
    return UNKNOWN;
  }

  #call(node: Oxc.CallExpression, module: SourceModule, scope: Scope): StaticValue {
    const args = node.arguments.map((argument) =>
      argument.type === 'SpreadElement' ? UNKNOWN : this.evaluate(argument, module, scope),
    );
    const { callee } = node;
    if (callee.type === 'MemberExpression') {
      const name = memberName(callee);
      const self = this.evaluate(callee.object, module, scope);
      if (name === undefined) return UNKNOWN;
      if (self.kind === 'zod') return zodConstructor(name, args);
      if (self.kind === 'schema') return zodMethod(self, name, args);
      return isObjectMethod(callee, 'keys') ? keysOf(args[0]) : UNKNOWN;
    }
    const called = this.evaluate(callee, module, scope);
    return called.kind === 'function' ? this.#apply(called.node, called.module, args) : UNKNOWN;
  }

  /** A function's result when its body is one `return`. */
  #apply(node: FunctionNode, module: SourceModule, args: readonly StaticValue[]): StaticValue {
    const result = returned(node);
    if (result === undefined) return UNKNOWN;
    const scope = new Map<string, StaticValue>();
    for (const [index, parameter] of node.params.entries()) {
      if (parameter.type === 'Identifier') scope.set(parameter.name, args[index] ?? data(undefined));
      else if (parameter.type === 'AssignmentPattern' && parameter.left.type === 'Identifier') {
        scope.set(parameter.left.name, args[index] ?? this.evaluate(parameter.right, module));
      } else return UNKNOWN;
    }
    return this.evaluate(result, module, scope);
  }
}

function arithmetic(operator: string, left: number, right: number): StaticValue {
  switch (operator) {
    case '+':
      return data(left + right);
    case '-':
      return data(left - right);
    case '*':
      return data(left * right);
    case '/':
      return data(left / right);
    case '**':
      return data(left ** right);
    default:
      return UNKNOWN;
  }
}

function returned(node: FunctionNode): Oxc.Expression | undefined {
  const { body } = node;
  if (body === null) return undefined;
  if (body.type !== 'BlockStatement') return body;
  const [only, ...rest] = body.body;
  return only?.type === 'ReturnStatement' && rest.length === 0 ? (only.argument ?? undefined) : undefined;
}

function keysOf(value: StaticValue | undefined): StaticValue {
  return value?.kind === 'object'
    ? { kind: 'list', items: [...value.entries.keys()].map((key) => data(key)) }
    : UNKNOWN;
}

function isObjectMethod(callee: Oxc.MemberExpression, method: string): boolean {
  return callee.object.type === 'Identifier' && callee.object.name === 'Object' && memberName(callee) === method;
}

function memberName(node: Oxc.MemberExpression): string | undefined {
  if (node.property.type === 'PrivateIdentifier') return undefined;
  if (!node.computed) return node.property.type === 'Identifier' ? node.property.name : undefined;
  return node.property.type === 'Literal' ? toText(data(String(node.property.value))) : undefined;
}

/** The name of a property that is written as a name or a literal. */
export function propertyName(key: Oxc.PropertyKey, isComputed: boolean): string | undefined {
  if (key.type === 'Identifier' && !isComputed) return key.name;
  return key.type === 'Literal' && key.value !== null ? String(key.value) : undefined;
}
