import { ConfigError } from '../errors.ts';
import { shuffled } from './functions.ts';
import { globFilter } from './glob.ts';
import { parseOverride, parseOverrides } from './parser.ts';
import { hydraValueText } from './printer.ts';
import { rangeLength, rangeValues } from './range.ts';
import { compareText } from './sorting.ts';
import { type GlobSweep, isSweepOverride, keyElement, type Override, type OverrideValue } from './types.ts';

export interface ExpandSweepOptions {
  /** The options of a config group, for `glob`. Without it a glob raises. */
  readonly groupOptions?: (group: string) => readonly string[];
  /** More jobs than this are refused. 100,000 unless told otherwise. */
  readonly maximumJobs?: number;
  /** For `shuffle`. */
  readonly random?: () => number;
}

const MAXIMUM_JOBS = 100_000;

/**
 * What Hydra's basic sweeper enumerates: one list of overrides a job, the last override varying fastest. A key given
 * twice keeps its first place and its last values. Throws for intervals and for more than `maximumJobs` jobs.
 */
export function expandSweep(
  overrides: readonly (string | Override)[],
  options: ExpandSweepOptions = {},
): readonly (readonly string[])[] {
  const parsed = parseMixed(overrides);
  const maximum = options.maximumJobs ?? MAXIMUM_JOBS;
  const choices = new Map<string, readonly string[]>();
  for (const override of parsed) {
    const key = keyElement(override);
    const texts = isSweepOverride(override)
      ? sweepTexts(override, options)
      : [hydraValueText(override.value ?? { type: 'null' })];
    choices.set(
      key,
      texts.map((text) => `${key}=${text}`),
    );
  }
  const total = [...choices.values()].reduce((product, texts) => product * texts.length, 1);
  if (total > maximum) throw tooMany(`The overrides ask for ${total} jobs`, maximum);
  return [...choices.values()].reduce<readonly (readonly string[])[]>(
    (jobs, texts) => jobs.flatMap((job) => texts.map((text) => [...job, text])),
    [[]],
  );
}

/** The jobs in groups of at most `size`, in order; one group without a size. */
export function batchJobs<T>(jobs: readonly T[], size: number | undefined): readonly (readonly T[])[] {
  if (size === undefined) return [jobs];
  if (!(size > 0)) throw new ConfigError('AssertionError', `max_batch_size must be above 0, got ${size}`);
  const batches: T[][] = [];
  for (let start = 0; start < jobs.length; start += size) batches.push(jobs.slice(start, start + size));
  return batches;
}

/** The values of a choice, range or glob, as Hydra writes them after `=`. */
function sweepTexts(override: Override, options: ExpandSweepOptions = {}): readonly string[] {
  if (override.value?.type === 'glob') return globNames(override, override.value, options);
  return sweepItems(override, options).map((item) => hydraValueText(item));
}

/** Hydra leaves the names of options as they are, special characters included. */
function globNames(override: Override, glob: GlobSweep, options: ExpandSweepOptions): readonly string[] {
  if (options.groupOptions === undefined) throw new ConfigError('HydraException', 'ConfigLoader is not set');
  const names = new Set(options.groupOptions(override.keyOrGroup));
  return globFilter([...names].toSorted(compareText), glob);
}

function sweepItems(override: Override, options: ExpandSweepOptions): readonly OverrideValue[] {
  const { value } = override;
  switch (value?.type) {
    case 'choice_sweep':
      return value.shuffle ? shuffled(value.items, options.random) : value.items;
    case 'range_sweep': {
      const maximum = options.maximumJobs ?? MAXIMUM_JOBS;
      const length = rangeLength(value);
      if (length > maximum) throw tooMany(`'${override.text}' has ${length} values`, maximum);
      const items = [...rangeValues(value)];
      return value.shuffle ? shuffled(items, options.random) : items;
    }
    default:
      throw new ConfigError('HydraException', `BasicSweeper does not support sweep type : ${override.valueType}`);
  }
}

function tooMany(what: string, maximum: number): ConfigError {
  return new ConfigError('HydraException', `${what}, more than the ${maximum} that are allowed`);
}

/** Texts are parsed together, so that an error names its place in the whole list. */
function parseMixed(overrides: readonly (string | Override)[]): readonly Override[] {
  if (overrides.every((override) => typeof override === 'string')) return parseOverrides(overrides);
  return overrides.map((override, index) => (typeof override === 'string' ? parseOverride(override, index) : override));
}
