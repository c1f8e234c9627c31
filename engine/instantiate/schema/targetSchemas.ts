import type { TargetSchema, TargetSchemas } from '../../config/index.ts';
import { CallableReader } from './callableSchema.ts';
import { Evaluator } from './evaluate.ts';
import { TargetFinder, type TargetPlaces } from './findTarget.ts';
import { isInPackage } from './moduleResolution.ts';
import { SignatureReader } from './signatures.ts';
import { SourceReader, stampOf } from './sourceReader.ts';
import { TypeReader } from './typeSchema.ts';

export type TargetSchemaOptions = TargetPlaces;

interface Answer {
  readonly answer: TargetSchema | undefined;
  readonly files: ReadonlyMap<string, string>;
  /** When the files of packages were looked at, in milliseconds. */
  packagesSeenAt: number;
}

/** Packages change only when somebody installs them, and an answer may depend on a hundred of their files. */
const PACKAGES_HOLD_MS = 1000;

/**
 * Finds what targets state of their options by reading: the engine's and the project's sources, the type declarations of
 * TensorFlow.js (`tf.*`) and of npm packages. Never runs or imports any of them. Answers hold while the files that they
 * come from stay as they are, so one may be kept for long.
 */
export function createTargetSchemas(options: TargetSchemaOptions): TargetSchemas {
  const reader = new SourceReader();
  const evaluator = new Evaluator(reader);
  const signatures = new SignatureReader(reader);
  const finder = new TargetFinder(reader, signatures, options);
  const callables = new CallableReader({ evaluator, signatures, types: new TypeReader(evaluator, signatures) });
  const answers = new Map<string, Answer>();
  return (target, args): TargetSchema | undefined => {
    const key = `${args}:${target}`;
    const known = answers.get(key);
    if (known && isCurrent(known)) return known.answer;
    const { answer, files } = reader.watching(() => {
      const found = finder.find(target);
      return found && callables.read(target, found, args);
    });
    answers.set(key, { answer, files, packagesSeenAt: performance.now() });
    return answer;
  };
}

/** What was not found anywhere may be written any time. */
function isCurrent(known: Answer): boolean {
  if (known.answer === undefined) return false;
  const now = performance.now();
  const seesPackages = now - known.packagesSeenAt > PACKAGES_HOLD_MS;
  if (seesPackages) known.packagesSeenAt = now;
  return [...known.files].every(([file, stamp]) => (!seesPackages && isInPackage(file)) || stampOf(file) === stamp);
}
