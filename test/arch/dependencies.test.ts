import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { afterEach, beforeEach, expect, test } from 'vitest';

// The rules themselves run over the whole project in `npm run arch`; here they are shown to bite.
const rules = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'accelhydra-arch-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function violations(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const { output } = await cruise(['.'], {
    ...rules.options,
    baseDir: folder,
    ruleSet: { forbidden: rules.forbidden },
    validate: true,
  });
  return (output as ICruiseResult).summary.violations.map((violation) => violation.rule.name);
}

const model = 'export interface Model { readonly id: string }\n';

test.each([
  {
    id: 'a type-only import against the order of folders',
    files: {
      'engine/base/a.ts': "import type { Model } from '../api/b.ts';\nexport type A = Model;\n",
      'engine/api/b.ts': model,
    },
    rule: 'engine-base',
  },
  {
    id: 'a trainer that starts processes',
    files: { 'engine/trainer/a.ts': "import { fork } from 'node:child_process';\nexport const start = fork;\n" },
    rule: 'one-door-child_process',
  },
  {
    id: 'a trainer that knows the store',
    files: { 'engine/trainer/a.ts': "export type { Model } from '../runs/b.ts';\n", 'engine/runs/b.ts': model },
    rule: 'engine-trainer',
  },
  {
    id: 'a page that knows another page',
    files: {
      'renderer/features/runs/A.tsx':
        "import type { Model } from '../run/b.ts';\nexport const a: Model = { id: '' };\n",
      'renderer/features/run/b.ts': model,
    },
    rule: 'features-do-not-meet',
  },
  {
    id: 'a renderer that reaches into the engine',
    files: { 'renderer/a.ts': "export type { Model } from '../engine/service/b.ts';\n", 'engine/service/b.ts': model },
    rule: 'renderer-through-api',
  },
  {
    id: 'a contract that needs Node',
    files: { 'engine/api/a.ts': "export { readFileSync } from 'node:fs';\n" },
    rule: 'api-is-for-everybody',
  },
  {
    id: 'a circle of types',
    files: {
      'engine/config/a.ts': "import type { B } from './b.ts';\nexport interface A { readonly b: B }\n",
      'engine/config/b.ts': "import type { A } from './a.ts';\nexport interface B { readonly a: A }\n",
    },
    rule: 'no-cycles',
  },
  {
    id: 'a file that is not there',
    files: { 'engine/config/a.ts': "export { b } from './b.ts';\n" },
    rule: 'nothing-unresolved',
  },
])('$id is refused', async ({ files, rule }) => {
  expect(await violations(files)).toContain(rule);
});

test('what the design allows passes', async () => {
  const files = {
    'engine/launch/a.ts': "import type { Model } from '../api/b.ts';\nexport type A = Model;\n",
    'engine/api/b.ts': model,
    'renderer/features/runs/A.tsx':
      "import type { Model } from '../../../engine/api/b.ts';\nexport const a: Model = { id: '' };\n",
  };
  expect(await violations(files)).toEqual([]);
});
