// `npm start`: sets up what is missing, builds what changed, and opens the app: Electron's window where there is a binary
// and a display, else the same app served on a loopback port with a one-time token.
//
//   npm start [-- --headless] [--project DIR] [--port N]
//
// --headless never opens anything. The project is the folder npm was called in, unless --project names another.
import { join } from 'node:path';
import { bootstrap, failSetup } from './bootstrap.mjs';
import { build } from './build.mjs';
import { displayObstacle, electronBinary } from './electronBinary.mjs';
import { handOver } from './handOver.mjs';
import { compileCacheFolder, root } from './paths.mjs';

/** Why no window is opened, for a person; undefined when one can be. */
function windowObstacle(headless) {
  if (headless) return '--headless was given';
  const display = displayObstacle();
  if (display !== undefined) return display;
  if (electronBinary() === undefined)
    return "Electron's binary could not be fetched (`npm run setup -- --again` tries once more)";
  if (process.getuid?.() === 0) return 'Electron does not open windows for root';
  return undefined;
}

const args = process.argv.slice(2);
const headless = args.includes('--headless');
const rest = args.filter((arg) => arg !== '--headless');
const say = (text) => process.stdout.write(`${text}\n`);
// npm runs scripts in the package's folder; INIT_CWD is where the user stood.
const project = process.env.INIT_CWD ?? process.cwd();
const withProject = rest.some((arg) => arg.startsWith('--project')) ? rest : ['--project', project, ...rest];

try {
  const { node } = await bootstrap();
  await build(node, (text) => say(`setup: ${text}`));
  const env = { ...process.env, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? compileCacheFolder };
  const obstacle = windowObstacle(headless);
  if (obstacle === undefined) {
    process.exitCode = await handOver(electronBinary(), [join(root, 'electron', 'main', 'boot.mjs'), ...withProject], {
      env,
    });
  } else {
    say(`No window: ${obstacle}. The same app is served to a browser instead.`);
    const open = headless || displayObstacle() !== undefined ? ['--headless'] : ['--open'];
    const serve = [join(root, 'engine', 'cli', 'main.ts'), 'serve', ...open, ...withProject];
    process.exitCode = await handOver(node.path, serve, { env });
  }
} catch (error) {
  failSetup(error);
}
