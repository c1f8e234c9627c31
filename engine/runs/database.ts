import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { EngineError } from '../api/errors.ts';
import { migrations } from './schema.ts';

/** The only door to SQLite. Statements are prepared once and kept; failures become EngineErrors that name the file. */
export type SqlValue = string | number | null;
type Row = Readonly<Record<string, SqlValue>>;

export interface Statement<R extends Row = Row> {
  run(...values: readonly SqlValue[]): number;
  get(...values: readonly SqlValue[]): R | undefined;
  all(...values: readonly SqlValue[]): R[];
}

export interface DatabaseOptions {
  /** How long a write waits for another process's write. */
  readonly busyTimeoutMs?: number | undefined;
}

export class Database {
  readonly file: string;
  readonly #connection: SqliteDatabase.Database;
  readonly #statements = new Map<string, Statement>();

  private constructor(file: string, connection: SqliteDatabase.Database) {
    this.file = file;
    this.#connection = connection;
  }

  /**
   * Opens or creates the store and brings its schema up to date.
   * Throws `runs.store-newer`, `runs.store-locked`, `runs.store-corrupt`, `runs.store-unwritable` or `runs.store-full`.
   */
  static open(file: string, options: DatabaseOptions = {}): Database {
    return guarded(file, () => {
      if (file !== ':memory:') mkdirSync(dirname(file), { recursive: true });
      const connection = new SqliteDatabase(file, { timeout: options.busyTimeoutMs ?? 5000 });
      try {
        // First of all, and reading only: a file that is not ours to understand is left as it is.
        refuseNewer(file, connection);
        // WAL: the app reads while launchers write. NORMAL: a power cut may lose the last batch, never the file.
        connection.pragma('journal_mode = WAL');
        connection.pragma('synchronous = NORMAL');
        connection.pragma('foreign_keys = ON');
        migrate(file, connection);
      } catch (error) {
        connection.close();
        throw error;
      }
      return new Database(file, connection);
    });
  }

  /** A prepared statement; `R` states the row's columns, which the SQL text must deliver. */
  prepare<R extends Row = Row>(sql: string): Statement<R> {
    const known = this.#statements.get(sql);
    if (known) return known as Statement<R>;
    const prepared = this.#connection.prepare<SqlValue[], R>(sql);
    const statement: Statement<R> = {
      run: (...values) => guarded(this.file, () => prepared.run(...values).changes),
      get: (...values) => guarded(this.file, () => prepared.get(...values)),
      all: (...values) => guarded(this.file, () => prepared.all(...values)),
    };
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs `work` in one write transaction; a throw inside rolls everything back. */
  transaction<T>(work: () => T): T {
    if (this.#connection.inTransaction) return work();
    return guarded(this.file, () => this.#connection.transaction(work).immediate());
  }

  /** Changes whenever another connection has committed something. */
  dataVersion(): number {
    return guarded(this.file, () => Number(this.#connection.pragma('data_version', { simple: true })));
  }

  close(): void {
    if (this.#connection.open) this.#connection.close();
  }
}

function versionOf(connection: SqliteDatabase.Database): number {
  return Number(connection.pragma('user_version', { simple: true }));
}

function refuseNewer(file: string, connection: SqliteDatabase.Database): void {
  const schema = versionOf(connection);
  if (schema <= migrations.length) return;
  throw new EngineError(
    'runs.store-newer',
    `The run store ${file} was written by a newer version of the app (its schema is ${schema}, this app knows ` +
      `${migrations.length}). Update the app, or move the file away: runs are found again from their folders.`,
    { file, schema, known: migrations.length },
  );
}

function migrate(file: string, connection: SqliteDatabase.Database): void {
  if (versionOf(connection) === migrations.length) return;
  const upgrade = connection.transaction(() => {
    // Again under the write lock: another process may have upgraded between the two.
    refuseNewer(file, connection);
    for (const step of migrations.slice(versionOf(connection))) connection.exec(step);
    connection.pragma(`user_version = ${migrations.length}`);
  });
  upgrade.immediate();
}

function guarded<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw translate(file, error);
  }
}

function translate(file: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EngineError) return error;
  const code = 'code' in error ? String(error.code) : '';
  const fail = (name: string, message: string) =>
    new EngineError(`runs.store-${name}`, message, { file, cause: code }, { cause: error });
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return fail('locked', `The run store ${file} is locked by another program. Close it, or try again in a moment.`);
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return fail(
      'corrupt',
      `The run store ${file} is damaged or no SQLite file. Move it away and start again: runs are found from their folders.`,
    );
  }
  if (code === 'SQLITE_CONSTRAINT_FOREIGNKEY') {
    return new EngineError('runs.not-found', 'The run is not in the store any more.', { file }, { cause: error });
  }
  if (code === 'SQLITE_FULL' || code === 'ENOSPC') {
    return fail('full', `The disk is full: the run store ${file} cannot be written. Free some space and try again.`);
  }
  if (/^(SQLITE_(CANTOPEN|READONLY|PERM|IOERR)|EACCES|EPERM|EROFS|ENOTDIR|EEXIST)/.test(code)) {
    return fail('unwritable', `The run store ${file} cannot be opened for writing (${error.message}).`);
  }
  return error;
}
