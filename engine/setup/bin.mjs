#!/usr/bin/env node
// The `accelhydra` command: picks a Node that is new enough and hands over to engine/cli/main.ts.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isNewEnough, presentNode } from './nodeRuntime.mjs';
import { compileCacheFolder, modulesFolder, root } from './paths.mjs';

const main = join(root, 'engine', 'cli', 'main.ts');

if (!existsSync(join(modulesFolder, '.package-lock.json')) || presentNode() === undefined) {
  const { bootstrap, failSetup } = await import('./bootstrap.mjs');
  // Progress goes to stderr: the command's own output stays clean for whoever reads it.
  await bootstrap({ stream: process.stderr }).catch((error) => {
    failSetup(error);
    process.exit(1);
  });
}
if (isNewEnough(process.version)) {
  nodeModule.enableCompileCache?.(compileCacheFolder);
  await import(main);
} else {
  const { handOver } = await import('./handOver.mjs');
  process.exitCode = await handOver(presentNode().path, [fileURLToPath(import.meta.url), ...process.argv.slice(2)]);
}
