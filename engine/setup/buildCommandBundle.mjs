// Makes the bundle of the short commands (see commandBundle.mjs) with esbuild.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleFolder, bundleIndex, freshBundle } from './commandBundle.mjs';
import { modulesFolder, root } from './paths.mjs';

const builder = 'engine/setup/buildCommandBundle.mjs';

/** Makes the bundle where it is missing or stale. Whatever keeps it from being made costs speed only. */
export async function refreshBundle() {
  if (freshBundle() !== undefined) return;
  try {
    await buildBundle();
  } catch {
    rmSync(bundleIndex, { force: true });
  }
}

async function buildBundle() {
  const esbuild = await import('esbuild');
  // Noted before they are read: a source that changes meanwhile makes the bundle stale.
  const before = new Map();
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: ['engine/cli/main.ts'],
    bundle: true,
    // What is loaded on demand stays on demand, with the packages that it needs.
    splitting: true,
    outdir: bundleFolder,
    outExtension: { '.js': '.mjs' },
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node22',
    logLevel: 'silent',
    banner: {
      js: "import { createRequire as bundleRequire } from 'node:module';const require = bundleRequire(import.meta.url);",
    },
    plugins: [keepWhere(before)],
  });
  const sources = Object.keys(result.metafile.inputs).filter((file) => file !== 'none:none');
  const inputs = [...sources, 'package.json', builder].map((file) => {
    const { mtimeMs, size } = before.get(join(root, file)) ?? statSync(join(root, file));
    return [file, mtimeMs, size];
  });
  const hash = createHash('sha256');
  for (const { path, contents } of result.outputFiles) hash.update(path).update(contents);
  const build = hash.digest('hex').slice(0, 16);
  mkdirSync(join(bundleFolder, build), { recursive: true });
  for (const { path, contents } of result.outputFiles) replaceFile(join(bundleFolder, build, basename(path)), contents);
  replaceFile(bundleIndex, JSON.stringify({ root, file: join(build, 'main.mjs'), inputs }));
  for (const old of readdirSync(bundleFolder, { withFileTypes: true })) {
    if (old.isDirectory() && old.name !== build) rmSync(join(bundleFolder, old.name), { recursive: true, force: true });
  }
}

/** Written beside and renamed: another command may be reading. */
function replaceFile(path, content) {
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, content);
  renameSync(draft, path);
}

/** What the short commands load on demand; any other command's code stays where it is and is loaded from there. */
const inlined = /^\.\.?\/(?:.*\/)?(?:printConfig|why|scripts|answer|configCompletion|configPlace)\.ts$/;

function keepWhere(before) {
  return {
    name: 'keep-where',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.ts$/ }, ({ path, kind, importer, resolveDir }) => {
        if (kind !== 'dynamic-import' || inlined.test(path)) return undefined;
        if (!relative(root, importer).startsWith(join('engine', 'cli'))) return undefined;
        return { path: pathToFileURL(join(resolveDir, path)).href, external: true };
      });
      // Native and heavy packages are found from the bundle's folder as from the sources'.
      // commander starts programs for commands that are files of their own; ours are not, and loading the module costs much.
      onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
        importer.includes('commander') ? { path: 'none', namespace: 'none' } : undefined,
      );
      onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'export default {};', loader: 'js' }));
      onResolve({ filter: /^[^./]/ }, ({ path }) =>
        path.startsWith('commander') || path.startsWith('node:') ? undefined : { path, external: true },
      );
      onLoad({ filter: /\.(?:ts|js)$/ }, ({ path }) => {
        before.set(path, statSync(path));
        const contents = readFileSync(path, 'utf8');
        const isOwn = !path.startsWith(modulesFolder);
        return {
          contents: isOwn ? contents.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)) : contents,
          loader: path.endsWith('.ts') ? 'ts' : 'js',
        };
      });
    },
  };
}
