import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isShortCommand } from '../../../engine/setup/commandBundle.mjs';
import { runNode } from '../../support/runNode.ts';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
let copy: string;
let bin: string;

beforeAll(async () => {
  copy = realpathSync(mkdtempSync(join(tmpdir(), 'accelhydra-bundle-')));
  for (const part of ['engine', 'configs', 'package.json', 'accelhydra.yaml']) {
    cpSync(join(checkout, part), join(copy, part), { recursive: true });
  }
  symlinkSync(join(checkout, 'node_modules'), join(copy, 'node_modules'));
  bin = join(copy, 'engine', 'setup', 'bin.mjs');
  await refresh();
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

async function refresh(): Promise<void> {
  const builder = pathToFileURL(join(copy, 'engine', 'setup', 'buildCommandBundle.mjs')).href;
  const script = `import { refreshBundle } from '${builder}'; await refreshBundle();`;
  expect((await runNode(['--input-type=module', '-e', script])).stderr).toBe('');
}

/** The file of the bundle that is in force, by its index. */
function bundleFile(): string {
  const index = join(copy, '.runtime', 'command', 'index.json');
  return join(copy, '.runtime', 'command', (JSON.parse(readFileSync(index, 'utf8')) as { file: string }).file);
}

test('the bundle answers as the sources do, errors and exit codes included', async () => {
  // Something that only the bundle says shows that it is the one that runs.
  appendFileSync(bundleFile(), "\nprocess.stderr.write('from the bundle\\n');\n");
  const main = join(copy, 'engine', 'cli', 'main.ts');
  const lines = [
    ['train', '--cfg', 'job', '--resolve', 'epochs=7'],
    ['why', 'nothing.there'],
  ];
  const answers = await Promise.all(
    lines.map(async (line) => {
      const [short, full] = [
        await runNode([bin, ...line], { cwd: copy }),
        await runNode([main, ...line], { cwd: copy }),
      ];
      expect(short.stderr).toContain('from the bundle\n');
      expect({ ...short, stderr: short.stderr.replace('from the bundle\n', '') }).toEqual(full);
      return short.code;
    }),
  );
  expect(answers).toEqual([0, 2]);
});

test('a source that changes is what runs, at once; the next set-up makes the bundle anew', async () => {
  const source = join(copy, 'engine', 'cli', 'commands', 'why.ts');
  const text = readFileSync(source, 'utf8');
  writeFileSync(source, text.replace('the path comes first', 'THE PATH COMES FIRST'));
  const before = bundleFile();
  const stale = await runNode([bin, 'why', 'a=1'], { cwd: copy });
  expect(stale.stderr).toContain('THE PATH COMES FIRST');
  await refresh();
  expect(bundleFile()).not.toBe(before);
  expect(readFileSync(bundleFile(), 'utf8')).not.toContain('from the bundle');
  const again = await runNode([bin, 'why', 'a=1'], { cwd: copy });
  expect(again.stderr).toContain('THE PATH COMES FIRST');
});

test.each([
  { line: ['train', '--cfg', 'job'], isShort: true },
  { line: ['train', '--info=all', 'a=1'], isShort: true },
  { line: ['train', '-c', 'job'], isShort: true },
  { line: ['train', '-cn', 'other'], isShort: false },
  { line: ['why', 'a'], isShort: true },
  { line: [], isShort: true },
  { line: ['train', 'a=1'], isShort: false },
  { line: ['runs', 'list'], isShort: false },
  { line: ['infer', '--cfg', 'job'], isShort: false },
])('$line', ({ line, isShort }) => {
  expect(isShortCommand(line)).toBe(isShort);
});
