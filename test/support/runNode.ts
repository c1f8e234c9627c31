import { spawn } from 'node:child_process';

/** What a finished Node process said. */
export interface NodeResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface NodeOptions {
  readonly cwd?: string;
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
}

/** Runs `node …` to its end under the Node that runs the tests. A process that is too slow is killed and fails the test. */
export function runNode(commandArguments: readonly string[], options: NodeOptions = {}): Promise<NodeResult> {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.environment };
  // Vitest's own settings must not change what the child does.
  for (const name of ['NODE_OPTIONS', 'VITEST', 'NODE_ENV']) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, commandArguments, {
      cwd: options.cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`node ${commandArguments.join(' ')} was too slow. It said:\n${stdout}\n${stderr}`));
    }, options.timeoutMs ?? 60_000);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** The last line of the output, which the child printed as JSON. */
export function lastJson<T>(result: NodeResult): T {
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{'))
    throw new Error(`No JSON line, exit code ${result.code}. It said:\n${result.stdout}\n${result.stderr}`);
  return JSON.parse(line) as T;
}
