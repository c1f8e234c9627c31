import { existsSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { EngineError } from '../../api/errors.ts';

export const modelFile = 'saved_model.pb';

/** Throws 'export.exists' when a folder holds something: an exported model goes only where it is told to. */
export function checkFree(folder: string, overwrite: boolean): void {
  if (!existsSync(folder)) return;
  const entries = readdirSync(folder);
  if (entries.length === 0) return;
  if (!entries.includes(modelFile)) {
    throw new EngineError(
      'export.exists',
      `${folder} holds other files (${entries.slice(0, 3).join(', ')}…) and no exported model. Name another folder with --output.`,
      { folder },
    );
  }
  if (overwrite) return;
  throw new EngineError(
    'export.exists',
    `${folder} holds an exported model already. Replace it with --overwrite, or name another folder with --output.`,
    { folder },
  );
}

/** Writes the model and what is known of it (assets.extra/accelhydra.json, where SavedModels keep what is the user's). */
export async function writeModel(folder: string, model: Uint8Array, facts: object): Promise<void> {
  const beside = join(dirname(folder), `.export.${process.pid}`);
  await rm(beside, { recursive: true, force: true });
  await mkdir(join(beside, 'assets.extra'), { recursive: true });
  await writeFile(join(beside, modelFile), model, { flush: true });
  await writeFile(join(beside, 'assets.extra', 'accelhydra.json'), `${JSON.stringify(facts, null, 2)}\n`);
  await rm(folder, { recursive: true, force: true });
  await rename(beside, folder);
}
