import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { knownFiles, runFamily } from './framework.ts';

const usage = `node test/conformance/run.ts [DIR] [--family NAME]… [--verbose]
Runs the recorded cases in DIR (default ../shared/conformance) and prints "family passed/total" with the failing ids.`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      family: { type: 'string', multiple: true },
      verbose: { type: 'boolean', short: 'v', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const directory = resolve(positionals[0] ?? resolve(import.meta.dirname, '../../../shared/conformance'));
  if (!existsSync(directory)) {
    console.error(`There is no directory ${directory}.\n${usage}`);
    return 2;
  }
  const wanted = values.family?.map((name) => name.replace(/\.json$/, ''));
  const files = knownFiles(directory).filter((file) => wanted?.includes(file.replace(/\.json$/, '')) ?? true);
  if (files.length === 0) {
    console.error(`${directory} has no family that is known here${wanted ? ` under ${wanted.join(', ')}` : ''}.`);
    return 2;
  }
  let failed = 0;
  for (const file of files) {
    const report = await runFamily(directory, file);
    failed += report.failures.length;
    console.log(`${report.name} ${report.total - report.failures.length}/${report.total}`);
    for (const { id, reason } of report.failures)
      console.log(values.verbose ? `  ${id}\n${indent(reason)}` : `  ${id}`);
  }
  return failed === 0 ? 0 : 1;
}

function indent(text: string): string {
  return text.replace(/^/gm, '      ');
}

process.exitCode = await main();
