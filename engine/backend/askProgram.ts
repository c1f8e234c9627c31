import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a program answered. A program that is missing, fails or is too slow is told by `ok` and `problem`. */
export interface Answer {
  readonly ok: boolean;
  readonly output: string;
  readonly problem: string;
}

export interface Question {
  readonly timeoutMs: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program that answers a question and ends; the only door to `child_process` in this folder. Never throws. */
export function askProgram(program: string, commandArguments: readonly string[], question: Question): Promise<Answer> {
  return new Promise((resolve) => {
    const options = {
      timeout: question.timeoutMs,
      maxBuffer: 16 * 1024 * 1024,
      env: { ...process.env, ...question.environment },
      windowsHide: true,
    };
    execFile(program, commandArguments, options, (error, output, errors) => {
      if (error === null) resolve({ ok: true, output, problem: '' });
      else {
        const told = errors.split('\n').find((line) => /error|fail|cannot/i.test(line));
        const limit = error.killed ? `no answer within ${question.timeoutMs / 1000} s` : undefined;
        resolve({ ok: false, output, problem: limit ?? told?.trim() ?? error.message.split('\n')[0] ?? '' });
      }
    });
  });
}

/** Full path of the first of these programs that PATH has. */
export function findProgram(...names: readonly string[]): string | undefined {
  const extensions = process.platform === 'win32' ? ['.exe', '.cmd', ''] : [''];
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = names.flatMap((name) => folders.flatMap((at) => extensions.map((end) => join(at, name + end))));
  return candidates.find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
