import type { ExitCode } from '../exitCodes.ts';

/** Told once by a command: the exit code it ends with. */
export type Finish = (code: ExitCode) => void;
