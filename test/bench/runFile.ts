// Started by run.ts: `node runFile.ts FILE ONLY` measures the benchmarks of one file and prints a JSON line for each.
import { pathToFileURL } from 'node:url';
import { type Benchmark, measure } from './benchmark.ts';

const [file = '', only = ''] = process.argv.slice(2);
const module: { benchmarks: readonly Benchmark[] } = await import(pathToFileURL(file).href);
for (const benchmark of module.benchmarks.filter(({ name }) => name.includes(only))) {
  const result = await measure(benchmark);
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
process.exit(0);
