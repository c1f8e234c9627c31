import { EngineError } from '../api/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import { type ConfigNode, describeOrigin, fullKeyOf, splitKeyPath } from '../config/index.ts';
import { type Composition, type CompositionRequest, type ConfigPlace, composeProject } from './composition.ts';
import { valueText } from './configTree.ts';

export interface ExplainedValue {
  readonly text: string;
  /** `configs/optimizer/adam.yaml:3:5`, or the override with its number. */
  readonly origin: string | undefined;
}

export interface Explanation extends ExplainedValue {
  readonly path: string;
  /** What an interpolation stands for in the end. */
  readonly resolved?: string | undefined;
  readonly resolveError?: string | undefined;
  /** The nodes that an interpolation leads over, one after the other. */
  readonly trail: readonly (ExplainedValue & { readonly path: string })[];
  /** The values that this one replaced, the latest first. */
  readonly beaten: readonly ExplainedValue[];
}

/** Where the value at a dotted path comes from. Throws `config.path-not-found` with the nearest path, and config errors. */
export function explainPath(place: ConfigPlace, request: CompositionRequest, path: string): Explanation {
  const composition = composeProject(place, request);
  const node = nodeAt(composition.config, path);
  if (node === undefined) {
    const known: string[] = [];
    collectPaths(composition.config, known);
    throw new EngineError('config.path-not-found', `The config has nothing at '${path}'.${didYouMean(path, known)}`, {
      path,
    });
  }
  return {
    path,
    ...explained(node),
    ...resolutionOf(composition, node),
    trail: node.isInterpolation ? trailOf(composition, node) : [],
    beaten: losers(node),
  };
}

function explained(node: ConfigNode): ExplainedValue {
  return { text: valueText(node), origin: node.origin && describeOrigin(node.origin) };
}

function resolutionOf(composition: Composition, node: ConfigNode): Pick<Explanation, 'resolved' | 'resolveError'> {
  if (!node.isInterpolation) return {};
  try {
    return { resolved: valueText(composition.follow(node)) };
  } catch (error) {
    if (error instanceof EngineError) return { resolveError: error.message };
    throw error;
  }
}

/** Follows `${a.b}` from node to node; a resolver call or text around an interpolation ends the trail. */
function trailOf(composition: Composition, start: ConfigNode): Explanation['trail'] {
  const trail: (ExplainedValue & { readonly path: string })[] = [];
  const seen = new Set<ConfigNode>([start]);
  for (let node: ConfigNode | undefined = start; node?.isInterpolation; ) {
    const target = referenceOf(node);
    node = target === undefined ? undefined : nodeAt(composition.config, target);
    if (node === undefined || seen.has(node)) break;
    seen.add(node);
    trail.push({ path: fullKeyOf(node), ...explained(node) });
  }
  return trail;
}

/** The absolute path that a lone `${path}` names, also where it is relative. */
function referenceOf(node: ConfigNode): string | undefined {
  const match = node.kind === 'scalar' ? /^\$\{\s*(\.*)([^\s:${}]+)\s*\}$/u.exec(String(node.value)) : undefined;
  if (!match) return undefined;
  const [, dots = '', rest = ''] = match;
  if (dots === '') return rest;
  let base: ConfigNode | undefined = node;
  for (let step = 0; step < dots.length; step++) base = base?.parent;
  const prefix = base ? fullKeyOf(base) : '';
  return prefix === '' ? rest : `${prefix}.${rest}`;
}

function losers(node: ConfigNode): ExplainedValue[] {
  const beaten: ExplainedValue[] = [];
  for (let loser = node.beat; loser !== undefined; loser = loser.beat) beaten.push(explained(loser));
  return beaten;
}

function nodeAt(root: ConfigNode, path: string): ConfigNode | undefined {
  let node: ConfigNode | undefined = root;
  for (const part of splitKeyPath(path)) {
    if (node?.kind === 'list') node = node.get(Number(part));
    else node = node?.kind === 'dict' ? node.get(part) : undefined;
  }
  return node;
}

function collectPaths(node: ConfigNode, paths: string[]): void {
  if (node.parent !== undefined) paths.push(fullKeyOf(node));
  if (node.kind === 'list') for (const item of node.items) collectPaths(item, paths);
  if (node.kind === 'dict') for (const child of node.values()) collectPaths(child, paths);
}
