// `npm run lock`, after any change of dependencies: completes package-lock.json and takes download addresses out of it.
//
// Native packages name one optional package for each platform. A registry mirror that carries only its own platform's makes
// npm leave the others out of the lock file, and `npm ci` then refuses that lock file everywhere. Their names and versions
// are known from the package that wants them, and their platform from their names.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './paths.mjs';

const systems = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm64', 'x64', 'ia32', 'arm', 'ppc64', 's390x', 'riscv64'];

/** Adds what is missing to a parsed lock file. Returns the names added. */
export function completeLock(lock) {
  const added = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    delete entry.resolved;
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      const nested = `${path}/node_modules/${name}`;
      const key = `node_modules/${name}`;
      const platform = platformOf(name);
      if (lock.packages[nested] || lock.packages[key] || platform === undefined) continue;
      lock.packages[key] = { version, ...platform, ...(entry.dev ? { dev: true } : {}), optional: true };
      added.push(name);
    }
  }
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'));
  lock.packages = Object.fromEntries(sorted);
  return added;
}

/** `@swc/core-linux-arm-gnueabihf` is for linux on arm with glibc. Undefined when the name tells no platform. */
export function platformOf(name) {
  const words = name.split('/').at(-1).split('-');
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (os === undefined || cpu === undefined) return undefined;
  if (os !== 'linux') return { cpu: [cpu], os: [os] };
  return { cpu: [cpu], libc: [words.at(-1).startsWith('musl') ? 'musl' : 'glibc'], os: [os] };
}

if (process.argv[1]?.endsWith('completeLock.mjs')) {
  const path = join(root, 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const added = completeLock(lock);
  writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  process.stdout.write(`lock: ${added.length === 0 ? 'complete' : `added ${added.join(', ')}`}\n`);
}
