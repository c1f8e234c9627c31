/** One thing measured side by side with a peer: the hand-written way, another library, or the bare cost of the machine. */
export interface Benchmark {
  /** Kebab-case, e.g. `trainer-overhead`. */
  readonly name: string;
  /** What the number is, e.g. `samples per second, small CNN`. */
  readonly metric: string;
  readonly unit: string;
  /** Counted runs of each side, interleaved; each round's are compared, and the median counts. Default 5. */
  readonly rounds?: number;
  /** Runs of each side before counting. Default 1. */
  readonly warmUps?: number;
  /** Loads and prepares both sides. A side's function runs it once and returns its number in `unit`. */
  prepare(): Contest | Duel | Promise<Contest | Duel>;
}

export interface Contest {
  ours(): number | Promise<number>;
  peer?(): number | Promise<number>;
  dispose?(): void | Promise<void>;
}

/** Two sides that cannot be run one without the other, since they take turns that are too short for this process. */
export interface Duel {
  both(): Promise<{ readonly ours: number; readonly peer: number }>;
  dispose?(): void | Promise<void>;
}

/** Several sides that run in turns, and the pairs of them that are rows of the result. */
export interface Tournament {
  readonly name: string;
  /** Counted runs of each side. Default 5. */
  readonly rounds?: number;
  /** Runs of each side before counting. Default 1. */
  readonly warmUps?: number;
  prepare(): Promise<Sides>;
}

/** What one run of a side gives, by the names that rows ask for. */
export type Readings = Readonly<Record<string, number>>;

export interface Sides {
  readonly run: ReadonlyMap<string, () => Promise<Readings>>;
  readonly rows: readonly TournamentRow[];
  dispose(): void | Promise<void>;
}

/** One comparison: names of two sides; without a peer the number stands alone. */
export interface TournamentRow {
  readonly name: string;
  readonly metric: string;
  readonly reading: string;
  readonly unit: string;
  readonly ours: string;
  readonly peer?: string;
}

/** A line of the JSON output. `ratio` is ours / peer; `min` and `max` are ours over `n` runs. */
export interface BenchmarkResult {
  readonly bench: string;
  readonly metric: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly ratio: number | null;
  readonly n: number;
  readonly min: number;
  readonly max: number;
}

/** Runs both sides in turns, ours first in even rounds and the peer first in odd ones, and compares those of each round. */
export async function measure(benchmark: Benchmark): Promise<BenchmarkResult> {
  const contest = await benchmark.prepare();
  try {
    const rounds = benchmark.rounds ?? 5;
    const ours: number[] = [];
    const peer: number[] = [];
    for (let round = -(benchmark.warmUps ?? 1); round < rounds; round++) {
      const result = 'both' in contest ? await contest.both() : await bothOf(contest, round);
      if (round < 0) continue;
      ours.push(result.ours);
      if (result.peer !== undefined) peer.push(result.peer);
    }
    const peerMedian = peer.length === 0 ? null : median(peer);
    return {
      bench: benchmark.name,
      metric: benchmark.metric,
      unit: benchmark.unit,
      ours: median(ours),
      peer: peerMedian,
      ratio: peer.length === 0 ? null : pairedRatio(ours, peer),
      n: rounds,
      min: Math.min(...ours),
      max: Math.max(...ours),
    };
  } finally {
    await contest.dispose?.();
  }
}

async function bothOf(contest: Contest, round: number): Promise<{ ours: number; peer: number | undefined }> {
  if (round % 2 === 0) {
    const ours = await contest.ours();
    return { ours, peer: await contest.peer?.() };
  }
  const peer = await contest.peer?.();
  return { ours: await contest.ours(), peer };
}

/** Runs every side in turns, starting with another one each round, and compares them round by round for each row. */
export async function play(tournament: Tournament): Promise<BenchmarkResult[]> {
  const { run, rows, dispose } = await tournament.prepare();
  const rounds = tournament.rounds ?? 5;
  const readings = new Map([...run.keys()].map((side) => [side, [] as Readings[]]));
  try {
    const order = [...run];
    for (let round = -(tournament.warmUps ?? 1); round < rounds; round++) {
      for (const [side, once] of order) {
        const reading = await once();
        if (round >= 0) readings.get(side)?.push(reading);
      }
      order.push(...order.splice(0, 1));
    }
  } finally {
    await dispose();
  }
  const numbers = (side: string, reading: string) =>
    (readings.get(side) ?? []).map((all) => all[reading] ?? Number.NaN);
  return rows.map((row) => {
    const ours = numbers(row.ours, row.reading);
    const peer = row.peer === undefined ? null : numbers(row.peer, row.reading);
    return {
      bench: row.name,
      metric: row.metric,
      unit: row.unit,
      ours: median(ours),
      peer: peer === null ? null : median(peer),
      ratio: peer === null ? null : pairedRatio(ours, peer),
      n: rounds,
      min: Math.min(...ours),
      max: Math.max(...ours),
    };
  });
}

/** The median over the rounds of ours / peer in each: what else the machine does meets both of a round. */
function pairedRatio(ours: readonly number[], peer: readonly number[]): number {
  return median(ours.map((value, round) => value / (peer[round] ?? Number.NaN)));
}

/** Milliseconds that `work` takes. */
export async function milliseconds(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The middle value; of an even count the mean of the two in the middle. NaN for none. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
