import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';

export interface FamilyContext {
  /** Where the family's file lies, beside the trees that its cases name. */
  readonly directory: string;
}

/** What differs, for people; undefined when the case passes. */
export type CaseOutcome = string | undefined;

/** The cases of one file. A module `families/someName.ts` exports `someName` and covers `some_name.json`. */
export interface Family {
  readonly name: string;
  readonly file: string;
  run(input: unknown, context: FamilyContext): CaseOutcome | Promise<CaseOutcome>;
}

export interface CaseFailure {
  readonly id: string;
  readonly reason: string;
}

export interface FamilyReport {
  readonly name: string;
  readonly total: number;
  readonly failures: readonly CaseFailure[];
}

const Cases = z.array(z.looseObject({ id: z.string() }));

const familiesDirectory = join(import.meta.dirname, 'families');

/** The family files of a directory that this program knows, in order of their names. */
export function knownFiles(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((file) => file.endsWith('.json') && existsSync(modulePath(file)))
    .sort();
}

function modulePath(file: string): string {
  return join(familiesDirectory, `${moduleName(file)}.ts`);
}

function moduleName(file: string): string {
  return file.replace(/\.json$/, '').replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Loads the family for a file; families are loaded one by one because some bring a tensor backend with them. */
export async function loadFamily(file: string): Promise<Family> {
  const loaded: unknown = await import(pathToFileURL(modulePath(file)).href);
  const exported = z.record(z.string(), z.unknown()).parse({ ...Object(loaded) })[moduleName(file)];
  if (!isFamily(exported)) throw new Error(`${modulePath(file)} must export a family named ${moduleName(file)}`);
  return exported;
}

function isFamily(value: unknown): value is Family {
  return typeof value === 'object' && value !== null && 'run' in value && 'name' in value && 'file' in value;
}

/** Runs every case of a file; a case that throws has failed. */
export async function runFamily(directory: string, file: string): Promise<FamilyReport> {
  const family = await loadFamily(file);
  const cases = Cases.parse(JSON.parse(readFileSync(join(directory, file), 'utf8')));
  const failures: CaseFailure[] = [];
  for (const input of cases) {
    const reason = await outcomeOf(family, input, { directory });
    if (reason !== undefined) failures.push({ id: input.id, reason });
  }
  return { name: family.name, total: cases.length, failures };
}

async function outcomeOf(family: Family, input: unknown, context: FamilyContext): Promise<CaseOutcome> {
  try {
    return await family.run(input, context);
  } catch (error) {
    return `crashed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
}
