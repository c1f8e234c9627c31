/**
 * The store's schema as a list of steps; `user_version` counts the steps applied. A step is never edited after release:
 * a change is a new step at the end.
 *
 * `metric_points.value` is NULL for NaN (SQLite has no NaN); infinities are stored as they are.
 * Columns ending in `_json` hold JSON text.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    exp_dir TEXT NOT NULL,
    status TEXT NOT NULL,
    config_name TEXT NOT NULL,
    overrides_json TEXT NOT NULL,
    command TEXT NOT NULL,
    config_yaml TEXT NOT NULL,
    resolved_yaml TEXT,
    created_at REAL NOT NULL,
    started_at REAL,
    ended_at REAL,
    processes INTEGER NOT NULL,
    devices_json TEXT NOT NULL,
    git_json TEXT,
    host TEXT NOT NULL,
    user TEXT NOT NULL,
    launcher_pid INTEGER,
    environment_json TEXT NOT NULL,
    hyperparameters_json TEXT NOT NULL,
    progress_json TEXT,
    monitor_key TEXT,
    monitor_mode TEXT,
    error TEXT,
    tags_json TEXT NOT NULL,
    notes TEXT NOT NULL
  );
  CREATE INDEX runs_by_creation ON runs (created_at DESC, id DESC);
  CREATE INDEX runs_by_status ON runs (status);
  CREATE INDEX runs_by_folder ON runs (exp_dir);

  CREATE TABLE metric_series (
    id INTEGER PRIMARY KEY,
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    points INTEGER NOT NULL,
    last_step INTEGER NOT NULL,
    last_value REAL,
    minimum REAL,
    maximum REAL,
    UNIQUE (run_id, key)
  );
  CREATE TABLE metric_points (
    series_id INTEGER NOT NULL REFERENCES metric_series (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    time REAL NOT NULL,
    value REAL,
    PRIMARY KEY (series_id, step)
  ) WITHOUT ROWID;

  CREATE TABLE checkpoints (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    path TEXT NOT NULL,
    kind TEXT NOT NULL,
    step INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    metrics_json TEXT NOT NULL,
    saved_at REAL NOT NULL,
    PRIMARY KEY (run_id, path)
  ) WITHOUT ROWID;
  `,
  `
  CREATE TABLE media (
    run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    step INTEGER NOT NULL,
    item INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    time REAL NOT NULL,
    caption TEXT,
    detail_json TEXT NOT NULL,
    PRIMARY KEY (run_id, kind, key, step, item)
  ) WITHOUT ROWID;
  CREATE INDEX media_by_path ON media (run_id, path);

  ALTER TABLE runs ADD COLUMN parent_json TEXT;
  CREATE INDEX runs_by_parent ON runs (json_extract(parent_json, '$.runId'));
  `,
];
