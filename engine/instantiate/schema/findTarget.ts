import { isBuiltin } from 'node:module';
import { parseNpmTarget } from '../locate/npmTargets.ts';
import { findModule } from '../locate/projectTargets.ts';
import type { SignatureReader } from './signatures.ts';
import type { Found, SourceReader } from './sourceReader.ts';

export interface TargetPlaces {
  /** Absolute folders in which the dotted names of project targets start. */
  readonly sourceRoots: readonly string[];
  /** The folder from which npm packages are looked up; without it none is. */
  readonly projectRoot?: string | undefined;
}

/** Names under which the engine's own classes may be targets; see the trainer's list of built-in targets. */
const BUILTIN_PREFIXES: ReadonlySet<string> = new Set([
  'accelhydra',
  'accelhydra.data',
  'accelhydra.losses',
  'accelhydra.lr_scheduler',
  'accelhydra.nn',
  'accelhydra.optim',
  'accelhydra.trainer',
  'accel_hydra',
  'accel_hydra.data_module.collate_function',
  'accel_hydra.data_module.sampler',
  'accel_hydra.losses',
  'accel_hydra.trainer',
  'torch.nn',
  'torch.optim',
  'torch.optim.lr_scheduler',
  'torch.utils.data',
  'torch.utils.data.distributed',
  'torchdata.stateful_dataloader',
  'torchvision.datasets',
  'torchvision.transforms',
  'transformers',
]);

/** Those whose class has another name. */
const BUILTIN_ALIASES: ReadonlyMap<string, string> = new Map([
  ['BatchSampler', 'FixedBatchSampler'],
  ['StatefulDataLoader', 'DataLoader'],
  ['IndentityWrapper', 'IdentityWrapper'],
  ['get_scheduler', 'getScheduler'],
]);

/** Where a target is declared, looked up in the same places and order as when it is built; nothing is imported or run. */
export class TargetFinder {
  readonly #reader: SourceReader;
  readonly #signatures: SignatureReader;
  readonly #places: TargetPlaces;

  constructor(reader: SourceReader, signatures: SignatureReader, places: TargetPlaces) {
    this.#reader = reader;
    this.#signatures = signatures;
    this.#places = places;
  }

  find(target: string): Found | undefined {
    return this.#builtin(target) ?? this.#tensorflow(target) ?? this.#inProject(target) ?? this.#npm(target);
  }

  #builtin(target: string): Found | undefined {
    const dot = target.lastIndexOf('.');
    const name = target.slice(dot + 1);
    const { engine } = this.#reader;
    if (!BUILTIN_PREFIXES.has(target.slice(0, dot)) || engine === undefined) return undefined;
    return this.#reader.exported(engine, BUILTIN_ALIASES.get(name) ?? name);
  }

  #tensorflow(target: string): Found | undefined {
    const [first, name, ...members] = target.split('.');
    const { tensorflow } = first === 'tf' && name !== undefined ? this.#reader : {};
    return tensorflow && name ? this.#below(this.#reader.exported(tensorflow, name), members) : undefined;
  }

  /** The longest module path of all roots first. */
  #inProject(target: string): Found | undefined {
    if (!/^[\w$.-]+$/.test(target)) return undefined;
    const parts = target.split('.');
    for (let length = parts.length - 1; length > 0; length--) {
      for (const root of this.#places.sourceRoots) {
        const file = findModule(root, parts.slice(0, length))?.file;
        const module = file === undefined ? undefined : this.#reader.module(file);
        if (module === undefined) continue;
        const [name = '', ...members] = parts.slice(length);
        const found = this.#below(this.#reader.exported(module, name), members);
        if (found) return found;
      }
    }
    return undefined;
  }

  #npm(target: string): Found | undefined {
    const { projectRoot } = this.#places;
    const wanted = projectRoot === undefined ? undefined : parseNpmTarget(target);
    if (projectRoot === undefined || wanted === undefined || isBuiltin(wanted.specifier)) return undefined;
    const module = this.#reader.packageModule(wanted.specifier, projectRoot);
    const [name = '', ...members] = wanted.exportPath;
    return module && this.#below(this.#reader.exported(module, name), members);
  }

  #below(found: Found | undefined, members: readonly string[]): Found | undefined {
    return members.reduce((holder, name) => holder && this.#signatures.member(holder, name), found);
  }
}
