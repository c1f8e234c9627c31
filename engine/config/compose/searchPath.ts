import { ConfigError } from '../errors.ts';
import { pythonTypeName } from '../grammar/casts.ts';
import { hydraValueText } from '../grammar/printer.ts';
import { keyElement, type Override } from '../grammar/types.ts';
import type { ConfigNode } from '../node/node.ts';
import { pythonStr } from '../python/repr.ts';
import { overrideOrigin } from './choices.ts';
import { CompositionError, compositionError } from './compositionError.ts';
import { FileSource } from './fileSource.ts';
import { hydraSource, schemaSource } from './hydraLibrary.ts';
import type { ConfigRepository } from './repository.ts';
import type { ComposeRequest } from './request.ts';
import { type ConfigSource, placeOf, schemeOf } from './source.ts';

/** All sources of a request in order: Hydra's groups, the request's own, Hydra's node. */
export function requestSources(request: ComposeRequest): readonly ConfigSource[] {
  const own = request.searchPath.map((place, index) =>
    typeof place === 'string' ? openSource(place, index === 0 ? 'main' : `search path ${index + 1}`, request) : place,
  );
  return [hydraSource, ...own, schemaSource];
}

function openSource(place: string, provider: string, request: ComposeRequest): ConfigSource {
  const scheme = schemeOf(place);
  if (scheme === 'file') {
    return new FileSource(placeOf(place), request.cwd === undefined ? { provider } : { provider, cwd: request.cwd });
  }
  if (scheme === 'pkg') {
    const name = placeOf(place).replaceAll('/', '.').replace(/\.$/, '');
    const library = request.libraries?.[name];
    return library ?? unavailable(place, provider);
  }
  throw new ConfigError(
    'ValueError',
    `No config source registered for schema ${scheme}, supported types : [file, pkg, structured]`,
  );
}

function unavailable(url: string, provider: string): ConfigSource {
  const fail = (): never => {
    throw new ConfigError('OSError', `'${url}' is not available`);
  };
  return {
    provider,
    url,
    available: () => false,
    stat: () => undefined,
    list: () => [],
    read: fail,
    display: (path) => `${url}/${path}`,
  };
}

/** Throws when the main place is not there. */
export function requireMainSource(sources: readonly ConfigSource[]): void {
  const main = sources.find((source) => source.provider === 'main');
  if (main === undefined || main.available()) return;
  const scheme = schemeOf(main.url);
  const message =
    scheme === 'pkg'
      ? `Primary config module '${placeOf(main.url)}' not found.\nCheck that it's an importable regular Python package containing configs.`
      : `Primary config directory not found.\nCheck that the config directory '${placeOf(main.url)}' exists and readable`;
  throw new CompositionError('MissingConfigException', message, { details: { missing: main.url } });
}

/** Adds the places of `hydra.searchpath` (command line, else primary config); what is not there is a warning. */
export function applySearchPath(
  repository: ConfigRepository,
  request: ComposeRequest,
  overrides: readonly Override[],
): readonly string[] {
  const primary = request.configName == null ? undefined : repository.load(request.configName);
  if (primary !== undefined && primary.content.kind !== 'dict') {
    throw compositionError(`primary config '${request.configName}' must be a DictConfig, got ListConfig`, {
      origin: primary.content.origin,
    });
  }
  const fromLine = overrides.find((override) => keyElement(override) === 'hydra.searchpath');
  const places =
    fromLine?.value === undefined || fromLine.value.type === 'null'
      ? placesOfConfig(primary?.content)
      : placesOfOverride(fromLine);
  if (places === undefined) return [];
  const provider = fromLine === undefined ? 'hydra.searchpath in main' : 'hydra.searchpath in command-line';
  const added = places.map((place) => openSource(place, provider, request));
  repository.setSources([...repository.sources.slice(0, -1), ...added, schemaSource]);
  return repository.sources
    .filter((source) => !source.available())
    .map((source) => `provider=${source.provider}, path=${placeOf(source.url)} is not available.`);
}

function placesOfConfig(primary: ConfigNode | undefined): readonly string[] | undefined {
  const hydra = primary?.kind === 'dict' ? primary.get('hydra') : undefined;
  const node = hydra?.kind === 'dict' ? hydra.get('searchpath') : undefined;
  if (node === undefined || node.isNull || node.isMissing) return undefined;
  const items = node.kind === 'list' ? node.items : undefined;
  if (items?.every((item) => item.kind === 'scalar' && typeof item.value === 'string')) {
    return items.map((item) => pythonStr(item));
  }
  throw compositionError(`hydra.searchpath must be a list of strings. Got: ${pythonStr(node)}`, {
    origin: node.origin,
  });
}

function placesOfOverride(override: Override): readonly string[] {
  const { value } = override;
  if (value?.type === 'list' && value.items.every((item) => item.type === 'str')) {
    return value.items.map((item) => (item.type === 'str' ? item.value : pythonTypeName(item)));
  }
  const text = value === undefined ? 'None' : value.type === 'str' ? value.value : hydraValueText(value, true);
  throw compositionError(`hydra.searchpath must be a list of strings. Got: ${text}`, {
    origin: overrideOrigin(override),
  });
}
