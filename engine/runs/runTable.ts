import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { LIVE_STATUSES, RunParent, type RunStatus, RunStatus as RunStatusSchema } from '../api/runModel.ts';
import { Progress } from '../api/training.ts';
import { parseExact, stringifyExact } from '../base/exactJson.ts';
import { nearest } from '../base/nearest.ts';
import type { Database, SqlValue } from './database.ts';

const GitState = z.object({ commit: z.string(), branch: z.string().optional(), dirty: z.boolean() });
const Texts = z.array(z.string());
const Values = z.record(z.string(), z.unknown());

export type GitState = z.infer<typeof GitState>;

/** What a launcher knows when it creates a run. Times are milliseconds since the epoch. */
export interface NewRun {
  readonly id: string;
  readonly name: string;
  /** Absolute folder. */
  readonly expDir: string;
  readonly configName: string;
  readonly overrides: readonly string[];
  /** The command line that would start it again. */
  readonly command: string;
  readonly configYaml: string;
  readonly resolvedYaml?: string | undefined;
  readonly createdAt: number;
  readonly processes: number;
  readonly devices: readonly string[];
  readonly git?: GitState | undefined;
  readonly host: string;
  readonly user: string;
  readonly launcherPid?: number | undefined;
  readonly environment: Readonly<Record<string, unknown>>;
  readonly monitor?: { readonly key: string; readonly mode: 'min' | 'max' } | undefined;
  /** Where the run branched off. */
  readonly parent?: RunParent | undefined;
}

/** What may change later; absent keys stay as they are. */
export interface RunPatch {
  readonly name?: string;
  readonly status?: RunStatus;
  readonly startedAt?: number;
  /** `undefined` clears it: a resumed run has no end yet. */
  readonly endedAt?: number | undefined;
  readonly processes?: number;
  readonly devices?: readonly string[];
  readonly launcherPid?: number;
  readonly progress?: Progress;
  readonly hyperparameters?: Readonly<Record<string, unknown>>;
  readonly monitor?: { readonly key: string; readonly mode: 'min' | 'max' };
  readonly error?: string | undefined;
  readonly tags?: readonly string[];
  readonly notes?: string;
  /** A resumed run may go on with another length or other saving. */
  readonly configYaml?: string;
  readonly resolvedYaml?: string;
  readonly overrides?: readonly string[];
}

/** A run as stored. */
export interface RunRecord extends NewRun {
  readonly status: RunStatus;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly progress?: Progress | undefined;
  readonly hyperparameters: Readonly<Record<string, unknown>>;
  readonly error?: string | undefined;
  readonly tags: readonly string[];
  readonly notes: string;
}

export interface RunQuery {
  readonly statuses?: readonly RunStatus[] | undefined;
  /** Every word must occur in the id, name, config name, overrides, folder, tags or notes; case does not matter. */
  readonly search?: string | undefined;
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

type RunRow = Readonly<Record<string, SqlValue>>;

/** The rows of `runs`: newest first, one per run folder. */
export class RunTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Adds a run with status `starting`. Throws `runs.duplicate` when the id exists. */
  create(run: NewRun): void {
    if (this.find(run.id))
      throw new EngineError('runs.duplicate', `There is a run '${run.id}' already.`, { id: run.id });
    const columns: Record<string, SqlValue> = {
      id: run.id,
      name: run.name,
      exp_dir: run.expDir,
      status: 'starting',
      config_name: run.configName,
      overrides_json: stringifyExact(run.overrides),
      command: run.command,
      config_yaml: run.configYaml,
      resolved_yaml: run.resolvedYaml ?? null,
      created_at: run.createdAt,
      processes: run.processes,
      devices_json: stringifyExact(run.devices),
      git_json: run.git ? stringifyExact(run.git) : null,
      host: run.host,
      user: run.user,
      launcher_pid: run.launcherPid ?? null,
      environment_json: stringifyExact(run.environment),
      hyperparameters_json: '{}',
      monitor_key: run.monitor?.key ?? null,
      monitor_mode: run.monitor?.mode ?? null,
      parent_json: run.parent ? stringifyExact(run.parent) : null,
      tags_json: '[]',
      notes: '',
    };
    const names = Object.keys(columns);
    this.#database
      .prepare(`INSERT INTO runs (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`)
      .run(...Object.values(columns));
  }

  /** Changes what `patch` names. Throws `runs.not-found`. */
  update(id: string, patch: RunPatch): void {
    const columns = patchColumns(patch);
    const names = Object.keys(columns);
    if (names.length === 0) return;
    const changed = this.#database
      .prepare(`UPDATE runs SET ${names.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`)
      .run(...Object.values(columns), id);
    if (changed === 0) throw this.#notFound(id);
  }

  find(id: string): RunRecord | undefined {
    const row = this.#database.prepare<RunRow>('SELECT * FROM runs WHERE id = ?').get(id);
    return row && toRecord(row);
  }

  /** The run with this id. Throws `runs.not-found` with the nearest one. */
  get(id: string): RunRecord {
    const found = this.find(id);
    if (!found) throw this.#notFound(id);
    return found;
  }

  /**
   * The run a person means: an id, the unique start of one, a name (the newest so named), a folder
   * (relative to where this process works), or `last`.
   * Throws `runs.not-found` or `runs.ambiguous`.
   */
  lookUp(text: string): RunRecord {
    const exact = this.find(text);
    if (exact) return exact;
    const one = (where: string, ...values: readonly SqlValue[]) =>
      this.#database
        .prepare<RunRow>(`SELECT * FROM runs ${where} ORDER BY created_at DESC, id DESC LIMIT 2`)
        .all(...values);
    if (text === 'last') {
      const [newest] = one('');
      if (newest) return toRecord(newest);
      throw new EngineError('runs.not-found', 'There is no run yet.', { id: text });
    }
    const [named] = [...one('WHERE name = ?', text), ...one('WHERE exp_dir = ?', text && resolve(text))];
    if (named) return toRecord(named);
    const started = text === '' ? [] : one('WHERE substr(id, 1, ?) = ?', text.length, text);
    if (started.length > 1) {
      throw new EngineError(
        'runs.ambiguous',
        `More than one run begins with '${text}', for instance ${started.map((row) => row.id).join(' and ')}. Write more of the id.`,
        { id: text },
      );
    }
    if (started[0]) return toRecord(started[0]);
    throw this.#notFound(text);
  }

  findByFolder(expDir: string): RunRecord | undefined {
    const row = this.#database
      .prepare<RunRow>('SELECT * FROM runs WHERE exp_dir = ? ORDER BY created_at DESC, id DESC LIMIT 1')
      .get(expDir);
    return row && toRecord(row);
  }

  /** Newest first, with the number of all that match. */
  list(query: RunQuery = {}): { readonly runs: RunRecord[]; readonly total: number } {
    const conditions: string[] = [];
    const values: SqlValue[] = [];
    if (query.statuses) {
      conditions.push(`status IN (${query.statuses.map(() => '?').join(', ')})`);
      values.push(...query.statuses);
    }
    for (const word of (query.search ?? '').split(/\s+/).filter(Boolean)) {
      conditions.push(
        `instr(lower(id || ' ' || name || ' ' || config_name || ' ' || overrides_json || ' ' || exp_dir || ' ' || tags_json || ' ' || notes || ' ' || status), ?) > 0`,
      );
      values.push(word.toLowerCase());
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const total =
      this.#database.prepare<{ n: number }>(`SELECT count(*) AS n FROM runs ${where}`).get(...values)?.n ?? 0;
    const rows = this.#database
      .prepare<RunRow>(`SELECT * FROM runs ${where} ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?`)
      .all(...values, query.limit ?? 200, query.offset ?? 0);
    return { runs: rows.map(toRecord), total };
  }

  /** Runs that branched off from this one, oldest first. */
  branchesOf(id: string): RunRecord[] {
    return this.#database
      .prepare<RunRow>(`SELECT * FROM runs WHERE json_extract(parent_json, '$.runId') = ? ORDER BY created_at, id`)
      .all(id)
      .map(toRecord);
  }

  /** A text by run id that differs when anything a list shows has changed, progress aside. */
  versions(): Map<string, string> {
    const rows = this.#database
      .prepare<{ id: string; state: string }>(
        `SELECT id, json_array(status, name, started_at, ended_at, error, tags_json, notes) AS state FROM runs`,
      )
      .all();
    return new Map(rows.map((row) => [row.id, row.state]));
  }

  /** Runs whose launcher should be alive. */
  live(): RunRecord[] {
    return this.list({ statuses: LIVE_STATUSES, limit: 10_000 }).runs;
  }

  /** Removes the row with its metrics and checkpoint rows; files stay. Throws `runs.not-found`. */
  remove(id: string): void {
    if (this.#database.prepare('DELETE FROM runs WHERE id = ?').run(id) === 0) throw this.#notFound(id);
  }

  #notFound(id: string): EngineError {
    const known = this.#database
      .prepare<{ id: string; name: string }>('SELECT id, name FROM runs ORDER BY created_at DESC LIMIT 500')
      .all();
    const near = nearest(
      id,
      known.flatMap((row) => [row.id, row.name]),
    );
    const hint = near ? ` Did you mean '${near}'?` : " 'accelhydra runs list' shows the runs there are.";
    return new EngineError('runs.not-found', `There is no run '${id}'.${hint}`, {
      id,
      ...(near ? { nearest: near } : {}),
    });
  }
}

/** Whether the run's folder is there; read from disk, because folders may go and come back. */
export function isFolderMissing(run: Pick<RunRecord, 'expDir'>): boolean {
  return !existsSync(run.expDir);
}

function patchColumns(patch: RunPatch): Record<string, SqlValue> {
  const columns: Record<string, SqlValue> = {};
  if (patch.name !== undefined) columns.name = patch.name;
  if (patch.status !== undefined) columns.status = patch.status;
  if (patch.startedAt !== undefined) columns.started_at = patch.startedAt;
  if ('endedAt' in patch) columns.ended_at = patch.endedAt ?? null;
  if (patch.processes !== undefined) columns.processes = patch.processes;
  if (patch.devices !== undefined) columns.devices_json = stringifyExact(patch.devices);
  if (patch.launcherPid !== undefined) columns.launcher_pid = patch.launcherPid;
  if (patch.progress !== undefined) columns.progress_json = stringifyExact(patch.progress);
  if (patch.hyperparameters !== undefined) columns.hyperparameters_json = stringifyExact(patch.hyperparameters);
  if (patch.monitor !== undefined) {
    columns.monitor_key = patch.monitor.key;
    columns.monitor_mode = patch.monitor.mode;
  }
  if ('error' in patch) columns.error = patch.error ?? null;
  if (patch.tags !== undefined) columns.tags_json = stringifyExact(patch.tags);
  if (patch.notes !== undefined) columns.notes = patch.notes;
  if (patch.overrides !== undefined) columns.overrides_json = stringifyExact(patch.overrides);
  if (patch.configYaml !== undefined) columns.config_yaml = patch.configYaml;
  if (patch.resolvedYaml !== undefined) columns.resolved_yaml = patch.resolvedYaml;
  return columns;
}

function toRecord(row: RunRow): RunRecord {
  const text = (name: string) => String(row[name] ?? '');
  const optionalText = (name: string) =>
    row[name] === null || row[name] === undefined ? undefined : String(row[name]);
  const optionalNumber = (name: string) => (typeof row[name] === 'number' ? row[name] : undefined);
  const json = <T>(name: string, schema: z.ZodType<T>) => schema.parse(parseExact(text(name)));
  const monitorKey = optionalText('monitor_key');
  return {
    id: text('id'),
    name: text('name'),
    expDir: text('exp_dir'),
    status: RunStatusSchema.parse(row.status),
    configName: text('config_name'),
    overrides: json('overrides_json', Texts),
    command: text('command'),
    configYaml: text('config_yaml'),
    resolvedYaml: optionalText('resolved_yaml'),
    createdAt: optionalNumber('created_at') ?? 0,
    startedAt: optionalNumber('started_at'),
    endedAt: optionalNumber('ended_at'),
    processes: optionalNumber('processes') ?? 0,
    devices: json('devices_json', Texts),
    git: row.git_json === null ? undefined : json('git_json', GitState),
    host: text('host'),
    user: text('user'),
    launcherPid: optionalNumber('launcher_pid'),
    environment: json('environment_json', Values),
    hyperparameters: json('hyperparameters_json', Values),
    progress: row.progress_json === null ? undefined : json('progress_json', Progress),
    monitor:
      monitorKey === undefined ? undefined : { key: monitorKey, mode: row.monitor_mode === 'max' ? 'max' : 'min' },
    parent: row.parent_json === null ? undefined : json('parent_json', RunParent),
    error: optionalText('error'),
    tags: json('tags_json', Texts),
    notes: text('notes'),
  };
}
