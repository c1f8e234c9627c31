import type { TargetSchema, TargetSchemas } from '../../config/index.ts';
import { findModule } from '../locate/projectTargets.ts';
import { CallableReader } from './callableSchema.ts';
import { Evaluator } from './evaluate.ts';
import { type Found, SourceReader } from './sourceModule.ts';
import { TypeReader } from './typeSchema.ts';

export interface TargetSchemaOptions {
  /** Absolute folders in which the dotted names of project targets start. */
  readonly sourceRoots: readonly string[];
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

/**
 * Finds what targets state of their options by reading sources: the engine's own and the project's. Never runs or imports
 * them. npm packages and `tf.*` are not known. Files are read again when they change, so one may be kept for long.
 */
export function createTargetSchemas({ sourceRoots }: TargetSchemaOptions): TargetSchemas {
  const reader = new SourceReader();
  const evaluator = new Evaluator(reader);
  const callables = new CallableReader(reader, evaluator, new TypeReader(reader, evaluator));
  return (target, args): TargetSchema | undefined => {
    const found = findBuiltin(target, reader) ?? findInProject(target, sourceRoots, reader);
    return found && callables.read(target, found, args);
  };
}

function findBuiltin(target: string, reader: SourceReader): Found | undefined {
  const dot = target.lastIndexOf('.');
  const name = target.slice(dot + 1);
  if (!BUILTIN_PREFIXES.has(target.slice(0, dot)) || reader.engine === undefined) return undefined;
  return reader.exported(reader.engine, BUILTIN_ALIASES.get(name) ?? name);
}

/** The longest module path of all roots first, as when targets are built. Members of exports are not read. */
function findInProject(target: string, sourceRoots: readonly string[], reader: SourceReader): Found | undefined {
  if (!/^[\w$.-]+$/.test(target)) return undefined;
  const parts = target.split('.');
  for (let length = parts.length - 1; length > 0; length--) {
    for (const root of sourceRoots) {
      const file = findModule(root, parts.slice(0, length))?.file;
      const module = file === undefined ? undefined : reader.module(file);
      if (module === undefined) continue;
      const [name = '', ...members] = parts.slice(length);
      const found = reader.exported(module, name);
      if (found) return members.length === 0 ? found : undefined;
    }
  }
  return undefined;
}
