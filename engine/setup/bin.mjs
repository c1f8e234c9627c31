#!/usr/bin/env node
// The `accelhydra` command: picks a Node that is new enough and hands over to engine/cli/main.ts, or for the short commands
// to their bundle. What is not always needed is loaded on demand: a person waits for this file.
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { join } from 'node:path';
import { freshBundle, isShortCommand } from './commandBundle.mjs';
import { isNewEnough } from './nodeVersion.mjs';
import { compileCacheFolder, modulesFolder, root } from './paths.mjs';

const args = process.argv.slice(2);
const isAble = isNewEnough(process.version);
const isInstalled = existsSync(join(modulesFolder, '.package-lock.json'));
const bundle = isAble && isInstalled && isShortCommand(args) ? freshBundle() : undefined;
if (bundle !== undefined) {
  nodeModule.enableCompileCache?.(compileCacheFolder);
  await import(bundle);
} else {
  const { presentNode } = await import('./nodeRuntime.mjs');
  if (!isInstalled || presentNode() === undefined) {
    const { bootstrap, failSetup } = await import('./bootstrap.mjs');
    // Progress goes to stderr: the command's own output stays clean for whoever reads it.
    await bootstrap({ stream: process.stderr }).catch((error) => {
      failSetup(error);
      process.exit(1);
    });
  }
  if (isAble) {
    nodeModule.enableCompileCache?.(compileCacheFolder);
    await import(join(root, 'engine', 'cli', 'main.ts'));
  } else {
    const { handOver } = await import('./handOver.mjs');
    process.exitCode = await handOver(presentNode().path, [import.meta.filename, ...args]);
  }
}
