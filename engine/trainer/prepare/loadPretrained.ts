import type * as tf from '@tensorflow/tfjs';
import { EngineError } from '../../api/errors.ts';
import { type MatchReport, matchHints, resolveCheckpoint } from '../../checkpoint/index.ts';
import { isPlainObject } from '../../data/index.ts';
import { checkOptions } from '../../data/options.ts';
import { assignWeights, readWeights } from '../model/weights.ts';

/** The config's `load_pretrained`: a path, or a section with these keys. */
export interface PretrainedSettings {
  /** A .safetensors file, a checkpoint's folder, or a run's, of which the best checkpoint is taken. */
  readonly ckpt_path: string;
  /** Whether file and model must have exactly the same tensors. Otherwise what agrees in name and shape is taken. */
  readonly strict: boolean;
  /** Cut off the front of the file's names where they have it: `module.` */
  readonly strip_prefix: string;
  /** Whether averages (trainer.ema) are taken where the checkpoint has them. */
  readonly use_ema: boolean;
}

/** Undefined without the key, or with null. Throws `trainer.load-pretrained` and `options.unknown`. */
export function readPretrained(config: Readonly<Record<string, unknown>>): PretrainedSettings | undefined {
  const given = config.load_pretrained;
  if (given == null) return undefined;
  const section = typeof given === 'string' ? { ckpt_path: given } : given;
  if (!isPlainObject(section)) throw refused('must be a path, or a section with ckpt_path', given);
  checkOptions('load_pretrained', section, ['ckpt_path', 'strict', 'strip_prefix', 'use_ema']);
  const { ckpt_path: path, strict = false, strip_prefix: prefix = '', use_ema: useEma = true } = section;
  if (typeof path !== 'string' || path === '') throw refused("needs 'ckpt_path', the file or folder to load", path);
  if (typeof strict !== 'boolean') throw refused("'strict' must be true or false", strict);
  if (typeof useEma !== 'boolean') throw refused("'use_ema' must be true or false", useEma);
  if (prefix !== null && typeof prefix !== 'string') throw refused("'strip_prefix' must be text", prefix);
  return { ckpt_path: path, strict, strip_prefix: prefix ?? '', use_ema: useEma };
}

/**
 * Puts pretrained weights into a model and says in one text what became of them. Throws `checkpoint.not-found`,
 * `checkpoint.corrupt`, and `checkpoint.other-model` where nothing fits, or with `strict` where anything differs.
 */
export async function loadPretrained(
  model: { stateDict(): ReadonlyMap<string, tf.Tensor> },
  settings: PretrainedSettings,
): Promise<{ readonly text: string; readonly isWhole: boolean }> {
  const weights = await readWeights(await resolveCheckpoint(settings.ckpt_path), settings.use_ema);
  // what a checkpoint left out is missing like anything else
  const source = { ...weights, frozen: undefined };
  const mode = settings.strict ? 'strict' : 'partial';
  const report = assignWeights(model, source, { mode, strip_prefix: settings.strip_prefix });
  return describe(report, weights.source);
}

function describe(report: MatchReport, source: string) {
  const { matched, missing, unexpected, mismatched } = report;
  const all = matched.length + missing.length + mismatched.length;
  const shapes = mismatched.map(({ name, model, file }) => `${name} ([${file}] there, [${model}] in the model)`);
  const differences = [
    listed('not in the file', missing),
    listed('only in the file', unexpected),
    listed('of another shape', shapes),
  ].filter((part) => part !== '');
  const joined = differences.join('; ');
  const rest = joined === '' ? '' : ` ${joined.charAt(0).toUpperCase()}${joined.slice(1)}.`;
  return {
    text: `load_pretrained: ${matched.length} of the model's ${all} tensors are those of ${source}.${[rest, ...matchHints(report)].join(' ')}`.trimEnd(),
    isWhole: differences.length === 0,
  };
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const shown = names.slice(0, 8).join(', ');
  return `${what}: ${shown}${names.length > 8 ? `, … (${names.length} in all)` : ''}`;
}

function refused(what: string, value: unknown): EngineError {
  return new EngineError('trainer.load-pretrained', `load_pretrained ${what}; it is ${JSON.stringify(value)}.`, {
    value,
  });
}
