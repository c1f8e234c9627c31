// Started by run.ts: `node runFile.ts FILE ONLY` measures the benchmarks of one file and prints a JSON line for each.
import { pathToFileURL } from 'node:url';
import { type Benchmark, type BenchmarkResult, measure, play, type Tournament } from './benchmark.ts';

const [file = '', only = ''] = process.argv.slice(2);
const module: { benchmarks?: readonly Benchmark[]; tournaments?: readonly Tournament[] } = await import(
  pathToFileURL(file).href
);
const chosen = <T extends { readonly name: string }>(all: readonly T[] = []) =>
  all.filter(({ name }) => name.includes(only));
for (const benchmark of chosen(module.benchmarks)) print(await measure(benchmark));
for (const tournament of chosen(module.tournaments)) {
  for (const result of await play(tournament)) print(result);
}
process.exit(0);

function print(result: BenchmarkResult): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
