// Continues in another process as if it were this one: same terminal, same signals, same exit.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<number>} the exit code, 128 + signal number when a signal ended it
 */
export function handOver(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'inherit', env: options.env ?? process.env });
    // Ctrl-C reaches the child by itself, being in the same group; a signal sent to us alone does not.
    const passOn = (signal) => child.kill(signal);
    const wait = () => undefined;
    process.on('SIGINT', wait);
    process.on('SIGTERM', passOn);
    process.on('SIGHUP', passOn);
    const finish = (code) => {
      process.removeListener('SIGINT', wait);
      process.removeListener('SIGTERM', passOn);
      process.removeListener('SIGHUP', passOn);
      resolve(code);
    };
    child.on('error', (error) => {
      process.stderr.write(`${command} does not start: ${error.message}\n`);
      finish(127);
    });
    child.on('close', (code, signal) => finish(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
