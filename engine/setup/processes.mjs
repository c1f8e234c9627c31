// Child processes for set-up: output kept, time limited, polite stop before a hard one.
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const graceMs = 3_000;
const keptCharacters = 64_000;

/**
 * Runs a program to its end. Never throws: a program that is missing, fails or runs out of time is told by the result.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeoutMs?: number }} [options]
 * @returns {Promise<{ ok: boolean, code: number | null, stdout: string, stderr: string, problem: string }>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    let timedOut = false;
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout = (stdout + text).slice(-keptCharacters);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-keptCharacters);
    });
    let hardStop;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGTERM');
      hardStop = setTimeout(() => child.kill('SIGKILL'), graceMs);
    }, options.timeoutMs ?? 600_000);
    const finish = (code, problem) => {
      clearTimeout(timer);
      clearTimeout(hardStop);
      resolve({ ok: code === 0, code, stdout, stderr, problem });
    };
    child.on('error', (error) => finish(null, `${command} does not start: ${error.message}`));
    child.on('close', (code, signal) => {
      if (timedOut) finish(null, `gave up after ${Math.round((options.timeoutMs ?? 0) / 1000)} s`);
      else if (code === 0) finish(0, '');
      else finish(code ?? 1, tellingLine(stderr) || tellingLine(stdout) || `ended with ${signal ?? `code ${code}`}`);
    });
  });
}

/** The first of these programs that PATH has, as a full path. */
export function findOnPath(...names) {
  const extensions = process.platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter)) {
      for (const extension of extensions) {
        const candidate = join(folder, name + extension);
        if (folder !== '' && isExecutable(candidate)) return candidate;
      }
    }
  }
  return undefined;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The line that names the error, else the last one that says anything. */
function tellingLine(text) {
  const noise = /^npm (warn|notice)|^npm error( code .*)?$|A complete log of this run|^Traceback|^warning:/i;
  const lines = text.split('\n').map((line) => line.trim());
  const spoken = lines.filter((line) => line !== '' && !noise.test(line));
  const error =
    // Node shows the line of code that throws before what was thrown.
    spoken.find((line) => /^\w*Error( \[\w+\])?: /.test(line)) ??
    spoken.find((line) => /error|fatal|cannot|could not|not found/i.test(line));
  return (error ?? spoken.at(-1) ?? '').replace(/^npm error /, '').slice(0, 300);
}
