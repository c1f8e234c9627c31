// `node underNode.mjs SCRIPT ARGS…`: sets up what is missing, then runs SCRIPT (relative to the package) under the Node that
// set-up chose, with the caller's terminal, signals and exit code.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, failSetup } from './bootstrap.mjs';
import { handOver } from './handOver.mjs';
import { compileCacheFolder, root } from './paths.mjs';
import { SetupError } from './report.mjs';

const [script, ...args] = process.argv.slice(2);
const path = join(root, script ?? '');
try {
  if (script === undefined || !existsSync(path)) throw new SetupError(`there is no ${script}`);
  const { node } = await bootstrap({ stream: process.stderr });
  const env = { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCacheFolder };
  process.exitCode = await handOver(node.path, [path, ...args], { env });
} catch (error) {
  failSetup(error);
}
