import { parseText } from '../../instantiate/schema/parseModule.ts';

/** Methods of lists, maps and sets that change them, whatever becomes of what they give. */
const changing = new Set(['delete', 'pop', 'push', 'shift', 'splice', 'unshift']);
/** Those that share their name with operations on tensors: they change something where nobody takes what they give. */
const changingAlone = new Set([...changing, 'add', 'clear', 'copyWithin', 'fill', 'reverse', 'set', 'sort']);
/** Functions of Reflect and Object that change their first argument. */
const changingFirst = new Set(['assign', 'defineProperty', 'deleteProperty', 'set']);

/**
 * The name of a variable outside a function that the function itself changes (`count++`, `seen.push(x)`), told from its text.
 * What it changes through functions that it calls, is not seen.
 */
export function changesOutside(work: (...parameters: never[]) => unknown): string | undefined {
  // methods are only written in objects and classes
  const text = work.toString();
  const tree = parseText(`({${text}})`) ?? parseText(`(${text})`);
  if (tree === undefined) return undefined;
  const own = new Set<string>();
  const changed: string[] = [];
  visit(tree, (node) => {
    for (const pattern of declaredBy(node)) for (const name of namesIn(pattern)) own.add(name);
    for (const target of changedBy(node)) changed.push(...rootOf(target));
  });
  return changed.find((name) => !own.has(name));
}

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string';
}

const nodesIn = (...values: readonly unknown[]): Node[] => values.flat().filter(isNode);

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, see);
  if (!isNode(value)) return;
  see(value);
  for (const item of Object.values(value)) if (typeof item === 'object') visit(item, see);
}

function declaredBy(node: Node): Node[] {
  switch (node.type) {
    case 'VariableDeclarator':
    case 'ClassDeclaration':
      return nodesIn(node.id);
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return nodesIn(node.id, node.params);
    case 'CatchClause':
      return nodesIn(node.param);
    default:
      return [];
  }
}

/** What a pattern names: `{a, b: [c, ...d], e = 1}` names a, c, d and e. */
function namesIn(pattern: Node): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [String(pattern.name)];
    case 'ObjectPattern':
      return nodesIn(pattern.properties).flatMap(namesIn);
    case 'Property':
      return nodesIn(pattern.value).flatMap(namesIn);
    case 'ArrayPattern':
      return nodesIn(pattern.elements).flatMap(namesIn);
    case 'AssignmentPattern':
      return nodesIn(pattern.left).flatMap(namesIn);
    case 'RestElement':
      return nodesIn(pattern.argument).flatMap(namesIn);
    default:
      return [];
  }
}

function changedBy(node: Node): Node[] {
  switch (node.type) {
    case 'AssignmentExpression':
      return nodesIn(node.left);
    case 'UpdateExpression':
      return nodesIn(node.argument);
    case 'UnaryExpression':
      return node.operator === 'delete' ? nodesIn(node.argument) : [];
    case 'CallExpression':
      return changedByCall(node, changing);
    case 'ExpressionStatement':
      return nodesIn(node.expression).flatMap((call) => changedByCall(call, changingAlone));
    default:
      return [];
  }
}

function changedByCall(call: Node, methods: ReadonlySet<string>): Node[] {
  if (call.type === 'AwaitExpression' || call.type === 'ChainExpression')
    return nodesIn(call.argument, call.expression).flatMap((inner) => changedByCall(inner, methods));
  if (!isNode(call.callee) || call.callee.type !== 'MemberExpression') return [];
  const [object, property] = nodesIn(call.callee.object, call.callee.property);
  if (object === undefined || property === undefined) return [];
  const method = String(property.name);
  if (object.name === 'Reflect' || object.name === 'Object')
    return changingFirst.has(method) ? nodesIn(call.arguments).slice(0, 1) : [];
  return methods.has(method) ? [object] : [];
}

/** The variables that a target begins with: `a` of `a.b[0].c`; none of `this.b` and of what a call gives. */
function rootOf(target: Node): string[] {
  return target.type === 'MemberExpression' ? nodesIn(target.object).flatMap(rootOf) : namesIn(target);
}
