import { EngineError } from '../api/errors.ts';

/** What the command's end means to a script. Documented in the help and in docs. */
export const exitCodes = {
  ok: 0,
  /** The run (or the command's own work) failed. */
  failed: 1,
  /** The command line or the config is wrong: nothing was started. */
  usage: 2,
  /** The machine cannot do it: store locked, port taken, disk full, no such device. */
  environment: 3,
  /** Ctrl-C. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const usagePrefixes = [
  'usage.',
  'config.',
  'instantiate.',
  'project.',
  'api.',
  'launch.file',
  'checkpoints.',
  'checkpoint.',
  'verify.no',
];
const usageCodes: ReadonlySet<string> = new Set([
  'runs.not-found',
  'runs.ambiguous',
  'runs.live',
  'runs.folder-foreign',
  'runs.resume-override',
  'runs.branch-group',
  'runs.nothing-left',
  'runs.config-missing',
  'launch.folder-taken',
  'launch.folder-unwritable',
  'launch.run-live',
  'trainer.other-model',
  'trainer.other-optimizer',
]);
const environmentPrefixes = [
  'runs.store-',
  'serve.',
  'backend.',
  'launch.no-such-gpu',
  'launch.too-few-gpus',
  'launch.port',
];

/** The exit code of an error, by its code. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof EngineError)) return exitCodes.failed;
  if (error.code === 'cancelled') return exitCodes.interrupted;
  if (usageCodes.has(error.code) || usagePrefixes.some((prefix) => error.code.startsWith(prefix)))
    return exitCodes.usage;
  if (environmentPrefixes.some((prefix) => error.code.startsWith(prefix))) return exitCodes.environment;
  return exitCodes.failed;
}
