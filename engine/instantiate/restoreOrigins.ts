import { z } from 'zod';
import { OriginInfo } from '../api/configModel.ts';
import { type ConfigNode, type ContainerNode, fullKeyOf, type Origin } from '../config/index.ts';

const Origins = z.record(z.string(), OriginInfo);

/**
 * Gives the leaves of a config that was read back from a run's folder the origins that were recorded when it was
 * composed (`origins.json`, by dotted path), so that errors name the file that a person wrote. What is not recorded, or
 * not in the form of a record, keeps its place in the text that was read.
 */
export function restoreOrigins(config: ContainerNode, recorded: unknown): void {
  const origins = Origins.safeParse(recorded).data ?? {};
  const visit = (node: ConfigNode): void => {
    if (node.kind === 'list') node.items.forEach(visit);
    else if (node.kind === 'dict') for (const child of node.values()) visit(child);
    else node.origin = originOf(origins[fullKeyOf(node)]) ?? node.origin;
  };
  visit(config);
}

function originOf(info: OriginInfo | undefined): Origin | undefined {
  switch (info?.kind) {
    case 'file':
      return { kind: 'file', source: info.file, line: info.line, column: info.column };
    case 'override':
      return { kind: 'override', index: info.index, text: info.override, start: info.start, end: info.end };
    case 'builtin':
      return { kind: 'generated', by: info.source };
    default:
      return undefined;
  }
}
