import { join, resolve } from 'node:path';
import type { ConfigNode } from '../config/node/node.ts';
import { select } from '../config/resolve/operations.ts';
import type { Composition, ConfigPlace } from './composition.ts';

/**
 * The folder that a config asks for. What an override says goes before what the config's files say, and AccelHydra's
 * `exp_dir` before Hydra's `hydra.run.dir`; Hydra's own default for the latter counts for nothing. A config that asks for
 * none gets a folder named after it.
 */
export function wantedFolder(place: Pick<ConfigPlace, 'root'>, composition: Composition): string {
  const { parts } = composition;
  const expDir = composition.config.get('exp_dir');
  const runDir = ownNode(select(parts.hydra, 'run', parts.context), 'dir');
  const texts = [
    { node: expDir, text: composition.textAt('exp_dir') },
    { node: runDir, text: runDir === undefined ? undefined : hydraText(composition, 'run.dir') },
  ];
  const asked =
    texts.find(({ node, text }) => node?.origin?.kind === 'override' && text !== undefined) ??
    texts.find(({ text }) => text !== undefined);
  return resolve(
    place.root,
    asked?.text ?? join('experiments', composition.textAt('exp_name') ?? composition.configName),
  );
}

/** A value of the mapping that somebody wrote; what Hydra's own files say is nobody's wish. */
function ownNode(parent: ConfigNode | undefined, key: string): ConfigNode | undefined {
  const node = parent?.kind === 'dict' ? parent.get(key) : undefined;
  const isBuiltIn = node?.origin?.kind === 'file' && node.origin.source.startsWith('hydra:');
  return node === undefined || node.isMissing || isBuiltIn ? undefined : node;
}

/** A text of Hydra's own node, resolved. Throws `config.…` where it cannot be. */
export function hydraText(composition: Composition, path: string): string | undefined {
  const { parts } = composition;
  const node = select(parts.withHydra, `hydra.${path}`, parts.context);
  return node?.kind !== 'scalar' || node.isNull || node.isMissing ? undefined : String(node.value);
}
