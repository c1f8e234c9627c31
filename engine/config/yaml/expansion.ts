import { ConfigError } from '../errors.ts';
import { pythonRepr } from '../grammar/pythonText.ts';
import { type Mark, originAt, yamlError } from './mark.ts';
import type { YamlNode } from './yamlNode.ts';

/** How many nodes a document may have once its aliases are written out; OmegaConf's default. */
const DEFAULT_MAX_EXPANDED_NODES = 10_000;
const LIMIT_VARIABLE = 'OMEGACONF_MAX_YAML_EXPANDED_NODES';

/** The limit that the environment sets, as OmegaConf reads it: a positive integer or 'none'. Throws a ValueError. */
export function maxExpandedNodesFrom(env: Readonly<Record<string, string | undefined>>): number | null {
  const text = env[LIMIT_VARIABLE]?.trim();
  if (text === undefined) return DEFAULT_MAX_EXPANDED_NODES;
  if (text.toLowerCase() === 'none') return null;
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
  throw new ConfigError(
    'ValueError',
    `Invalid value for ${LIMIT_VARIABLE}: ${pythonRepr(text)}. Set it to a positive integer or 'none'.`,
  );
}

const LARGEST_RATIO = 100;
const RATIO_COUNTS_FROM = 1_000;
/** Aliases of aliases nest without indentation, so the graph may be deeper than the text. */
const DEEPEST_GRAPH = 1_000;

const HELP_PAGE = 'https://omegaconf.readthedocs.io/en/latest/yaml_aliases.html';

/**
 * Refuses documents that refer to themselves or that aliases blow up ("billion laughs"). `maxExpandedNodes` null lifts
 * the limits for trusted input. Throws a ConstructorError.
 */
export function checkExpansion(root: YamlNode, source: string, maxExpandedNodes: number | null): void {
  const uniqueNodes = countUniqueNodes(root, source);
  if (maxExpandedNodes === null) return;
  const expandedNodes = countExpandedNodes(root, maxExpandedNodes);
  if (expandedNodes > maxExpandedNodes) throw expansionLimitError(source, maxExpandedNodes, root.start);
  if (expandedNodes > RATIO_COUNTS_FROM && expandedNodes > uniqueNodes * LARGEST_RATIO) {
    throw yamlError(
      'ConstructorError',
      source,
      `YAML aliases expand the document from ${uniqueNodes} nodes to ${expandedNodes} nodes, exceeding the supported ` +
        `ratio of ${LARGEST_RATIO}x. See ${HELP_PAGE}. For trusted input, pass max_yaml_expanded_nodes=None or set ` +
        'OMEGACONF_MAX_YAML_EXPANDED_NODES=none.',
      root.start,
    );
  }
}

/** The document, with its aliases written out, has more nodes than a config may have. */
export function expansionLimitError(source: string, limit: number, mark: Mark): ConfigError {
  return yamlError(
    'ConstructorError',
    source,
    `YAML node expansion exceeds the configured limit of ${limit}. See ${HELP_PAGE}. Increase ` +
      'max_yaml_expanded_nodes or set OMEGACONF_MAX_YAML_EXPANDED_NODES to a larger positive integer. ' +
      "Use 'none' only for trusted input.",
    mark,
  );
}

function* children(node: YamlNode): Generator<YamlNode> {
  if (node.kind === 'sequence') yield* node.items;
  else if (node.kind === 'mapping') for (const pair of node.pairs) yield* pair;
}

function countUniqueNodes(root: YamlNode, source: string): number {
  const seen = new Set<YamlNode>();
  const visiting = new Set<YamlNode>();
  const visit = (node: YamlNode): void => {
    if (seen.has(node)) return;
    if (visiting.has(node)) {
      throw yamlError('ConstructorError', source, 'YAML recursive aliases are not supported.', node.start);
    }
    if (visiting.size > DEEPEST_GRAPH) {
      throw new ConfigError('RecursionError', `${source}: aliases nest deeper than ${DEEPEST_GRAPH} levels`, {
        origin: originAt(source, node.start),
      });
    }
    if (node.kind !== 'scalar') {
      visiting.add(node);
      for (const child of children(node)) visit(child);
      visiting.delete(node);
    }
    seen.add(node);
  };
  visit(root);
  return seen.size;
}

/** Stops counting where the limit is passed: the true number may be astronomic. */
function countExpandedNodes(root: YamlNode, limit: number): number {
  const totals = new Map<YamlNode, number>();
  const count = (node: YamlNode): number => {
    if (node.kind === 'scalar') return 1;
    const known = totals.get(node);
    if (known !== undefined) return known;
    let total = 1;
    for (const child of children(node)) {
      total += count(child);
      if (total > limit) break;
    }
    totals.set(node, total);
    return total;
  };
  return count(root);
}
