import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CLI, type SampleProject } from './servedApp.ts';

/** A copy of the only run in a folder of its own, the config inside its best checkpoint changed, which a scan then finds. */
export function copyRun(
  { folder, environment }: SampleProject,
  changes: object,
  reconfigure: (config: string) => string,
): void {
  const experiments = join(folder, 'experiments');
  const copy = join(experiments, 'copied');
  cpSync(join(experiments, readdirSync(experiments)[0] ?? ''), copy, { recursive: true });
  const file = join(copy, 'run.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), ...changes }));
  const best = join(copy, 'checkpoints/best');
  const config = reconfigure(readFileSync(join(best, 'config.yaml'), 'utf8'));
  writeFileSync(join(best, 'config.yaml'), config);
  const manifest = JSON.parse(readFileSync(join(best, 'manifest.json'), 'utf8'));
  const sha256 = createHash('sha256').update(config).digest('hex');
  manifest.files['config.yaml'] = { bytes: Buffer.byteLength(config), sha256 };
  writeFileSync(join(best, 'manifest.json'), JSON.stringify({ ...manifest, config_hash: sha256 }));
  execFileSync(process.execPath, [CLI, 'runs', 'scan'], { cwd: folder, env: environment, stdio: 'pipe' });
}
