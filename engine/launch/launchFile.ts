import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { type LaunchOptions, MixedPrecision } from '../api/launch.ts';
import { didYouMean } from '../base/nearest.ts';

export interface LaunchFile {
  readonly options: LaunchOptions;
  /** Keys that were accepted but change nothing here, each a sentence. */
  readonly warnings: readonly string[];
}

const Count = z.number().int().positive();
const Flag = z.boolean();
const Nothing = z.union([z.null(), z.literal(''), z.literal(false), z.array(z.never()).length(0), z.strictObject({})]);
/** `no` without quotes is `false` to a YAML 1.1 writer. */
const No = z.union([z.literal('no'), z.literal('NO'), z.literal(false), z.null()]);

interface KeyRule {
  readonly schema: z.ZodType;
  /** What a value must be, as the end of the sentence "it must be …". */
  readonly expected: string;
  /** Says why a value of the right type is refused. */
  readonly refuse?: (value: unknown) => string | undefined;
  /** Said when the key is set to something that has no effect here. */
  readonly ignored?: (value: unknown) => string | undefined;
}

const oneMachine = 'All processes of a run are on this machine.';
const ownParallelism = 'Only plain data parallelism is supported: leave the section out.';

/** Every key that `accelerate config` writes and `accelerate launch` reads from its file. */
const rules: Readonly<Record<string, KeyRule>> = {
  compute_environment: {
    schema: z.string(),
    expected: 'LOCAL_MACHINE',
    refuse: (value) => (value === 'LOCAL_MACHINE' ? undefined : `'${value}' is not supported. ${oneMachine}`),
  },
  distributed_type: {
    schema: z.string(),
    expected: 'NO, MULTI_CPU or MULTI_GPU',
    refuse: (value) =>
      ['NO', 'MULTI_CPU', 'MULTI_GPU'].includes(String(value))
        ? undefined
        : `'${value}' is not supported: use NO, MULTI_CPU or MULTI_GPU.`,
  },
  num_processes: { schema: Count, expected: 'a whole number of at least 1' },
  num_machines: {
    schema: Count,
    expected: '1',
    refuse: (value) => (value === 1 ? undefined : `${value} machines are not supported. ${oneMachine}`),
  },
  machine_rank: {
    schema: z.number().int(),
    expected: '0',
    refuse: (value) => (value === 0 ? undefined : `there is only machine 0. ${oneMachine}`),
  },
  main_process_ip: {
    schema: z.string().nullable(),
    expected: 'an address of this machine',
    refuse: (value) =>
      value === null || ['localhost', '127.0.0.1', '0.0.0.0', '::1'].includes(String(value))
        ? undefined
        : `'${value}' is not this machine. ${oneMachine}`,
  },
  main_process_port: { schema: z.number().int().min(0).max(65_535).nullable(), expected: 'a port from 0 to 65535' },
  mixed_precision: {
    schema: z.union([MixedPrecision, z.literal(false), z.null()]),
    expected: 'no, fp16 or bf16',
  },
  gpu_ids: {
    schema: z.union([
      z.number().int().nonnegative(),
      z.string().regex(/^(all|\d+(\s*,\s*\d+)*)$/),
      z.array(z.number().int().nonnegative()).nonempty(),
      z.null(),
    ]),
    expected: "'all' or indices such as 0,1",
  },
  num_cpu_threads_per_process: { schema: Count, expected: 'a whole number of at least 1' },
  use_cpu: { schema: Flag, expected: 'true or false' },
  max_restarts: { schema: z.number().int().nonnegative(), expected: 'a whole number of at least 0' },
  monitor_interval: { schema: z.number().positive(), expected: 'a number of seconds' },
  log_dir: {
    schema: z.string().nullable(),
    expected: 'a folder',
    ignored: (value) => (value === null ? undefined : `log_dir is not used: logs are in the run's own folder, logs/.`),
  },
  tee: { schema: z.union([z.string(), z.number().int(), z.null()]), expected: 'a stream number' },
  debug: { schema: Flag, expected: 'true or false' },
  downcast_bf16: {
    schema: z.union([z.string(), z.boolean(), z.null()]),
    expected: 'no',
    refuse: (value) => (No.safeParse(value).success ? undefined : `it belongs to TPUs, which are not supported.`),
  },
  enable_cpu_affinity: {
    schema: Flag,
    expected: 'true or false',
    ignored: (value) =>
      value === true ? 'enable_cpu_affinity is not used: processes are not bound to cores.' : undefined,
  },
  main_training_function: { schema: z.string().nullable(), expected: 'a name' },
  rdzv_backend: { schema: z.string().nullable(), expected: 'a name' },
  same_network: { schema: Flag, expected: 'true or false' },
  ...unsupported(
    ['tpu_env', 'tpu_use_cluster', 'tpu_use_sudo', 'tpu_name', 'tpu_zone', 'tpu_cluster', 'tpu_vm'],
    'TPUs are not supported.',
  ),
  ...unsupported(
    ['deepspeed_config', 'fsdp_config', 'megatron_lm_config', 'tp_config', 'parallelism_config', 'mpirun_config'],
    ownParallelism,
  ),
  ...unsupported(
    ['dynamo_config', 'fp8_config', 'ipex_config', 'ipex', 'use_xpu', 'aws', 'commands', 'command_file'],
    'It has no counterpart here: leave it out.',
  ),
};

/** Keys that change how a run is spread; the others are only checked. */
const LaunchKeys = z.object({
  distributed_type: z.string().optional(),
  num_processes: z.number().optional(),
  use_cpu: z.boolean().optional(),
  gpu_ids: z.union([z.number(), z.string(), z.array(z.number()), z.null()]).optional(),
  mixed_precision: z.union([MixedPrecision, z.literal(false), z.null()]).optional(),
  num_cpu_threads_per_process: z.number().optional(),
  main_process_port: z.number().nullable().optional(),
  max_restarts: z.number().optional(),
});

/** Reads an accelerate launch file. Throws `launch.file-missing`, `launch.file-invalid` or `launch.file-unsupported`. */
export function readLaunchFile(file: string): LaunchFile {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const why =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new EngineError(
      'launch.file-missing',
      `The launch file ${file} cannot be read: ${why}.`,
      { file },
      { cause: error },
    );
  }
  return parseLaunchFile(text, file);
}

/** The same for text; `file` only names it in messages. */
export function parseLaunchFile(text: string, file: string): LaunchFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const at = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  const [problem] = document.errors;
  if (problem) throw invalid(at(problem.pos[0]), problem.message.split('\n')[0] ?? 'not YAML');
  if (document.contents === null) return { options: {}, warnings: [] };
  if (!isMap(document.contents)) throw invalid(at(0), 'a launch file is a mapping of keys to values');
  const values: Record<string, unknown> = {};
  const warnings: string[] = [];
  for (const { key, value } of document.contents.items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    const where = at((isScalar(key) ? key.range?.[0] : undefined) ?? 0);
    const plain: unknown = isNode(value) ? value.toJS(document) : null;
    const warning = check(name, plain, where);
    if (warning !== undefined) warnings.push(warning);
    values[name] = plain;
  }
  return toLaunchFile(LaunchKeys.parse(values), warnings);
}

function check(name: string, value: unknown, where: string): string | undefined {
  const rule = rules[name];
  if (rule === undefined)
    throw invalid(where, `there is no launch key '${name}'.${didYouMean(name, Object.keys(rules))}`, name);
  if (!rule.schema.safeParse(value).success) {
    throw invalid(where, `${name} is ${JSON.stringify(value)}, but it must be ${rule.expected}`, name);
  }
  const refused = rule.refuse?.(value);
  if (refused !== undefined) {
    throw new EngineError('launch.file-unsupported', `${where}: ${name}: ${refused}`, { where, key: name });
  }
  return rule.ignored?.(value);
}

function toLaunchFile(keys: z.infer<typeof LaunchKeys>, warnings: string[]): LaunchFile {
  const count = keys.num_processes;
  if (keys.distributed_type === 'NO' && count !== undefined && count > 1) {
    warnings.push(`distributed_type is NO, yet num_processes asks for ${count} processes: ${count} are started.`);
  }
  if (keys.distributed_type === 'MULTI_GPU' && keys.use_cpu === true) {
    warnings.push('distributed_type is MULTI_GPU, yet use_cpu is true: the processes run on the CPU.');
  }
  const useCpu = keys.use_cpu ?? (keys.distributed_type === 'MULTI_CPU' ? true : undefined);
  const precision = keys.mixed_precision;
  const gpuIds = keys.gpu_ids;
  return {
    warnings,
    options: {
      ...(count === undefined ? {} : { numProcesses: count }),
      ...(useCpu === undefined ? {} : { useCpu }),
      ...(gpuIds === undefined || gpuIds === null ? {} : { gpuIds: String(gpuIds) }),
      ...(precision === undefined
        ? {}
        : { mixedPrecision: precision === false || precision === null ? 'no' : precision }),
      ...(keys.num_cpu_threads_per_process === undefined
        ? {}
        : { threadsPerProcess: keys.num_cpu_threads_per_process }),
      ...(typeof keys.main_process_port === 'number' ? { mainProcessPort: keys.main_process_port } : {}),
      ...(keys.max_restarts === undefined ? {} : { maxRestarts: keys.max_restarts }),
    },
  };
}

function unsupported(names: readonly string[], why: string): Record<string, KeyRule> {
  const rule: KeyRule = {
    schema: z.unknown(),
    expected: 'left out',
    refuse: (value) => (Nothing.safeParse(value).success ? undefined : why),
  };
  return Object.fromEntries(names.map((name) => [name, rule]));
}

function invalid(where: string, why: string, key?: string): EngineError {
  return new EngineError('launch.file-invalid', `${where}: ${why}.`.replace(/([.?])\.$/, '$1'), {
    where,
    ...(key ? { key } : {}),
  });
}
