import type { Disposable } from '../base/disposable.ts';
import { CheckpointTable } from './checkpointTable.ts';
import { Database, type DatabaseOptions } from './database.ts';
import { MediaTable } from './mediaTable.ts';
import { MetricTable } from './metricTable.ts';
import { RunTable } from './runTable.ts';

/**
 * The index of a project's runs, in SQLite: safe to open from several processes at once (launchers write, the app reads).
 * It can be rebuilt from the runs' folders, which stay the truth.
 */
export class RunStore implements Disposable {
  readonly runs: RunTable;
  readonly metrics: MetricTable;
  readonly checkpoints: CheckpointTable;
  readonly media: MediaTable;
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
    this.runs = new RunTable(database);
    this.metrics = new MetricTable(database);
    this.checkpoints = new CheckpointTable(database);
    this.media = new MediaTable(database);
  }

  /** Opens or creates the store. Throws `runs.store-newer|locked|corrupt|unwritable|full`. */
  static open(file: string, options: DatabaseOptions = {}): RunStore {
    return new RunStore(Database.open(file, options));
  }

  get file(): string {
    return this.#database.file;
  }

  /** Groups several writes into one transaction. */
  transaction<T>(work: () => T): T {
    return this.#database.transaction(work);
  }

  /** A number that changes whenever another connection has written to the store. */
  dataVersion(): number {
    return this.#database.dataVersion();
  }

  dispose(): void {
    this.#database.close();
  }
}
