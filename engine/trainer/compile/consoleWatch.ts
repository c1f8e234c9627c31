const methods = ['log', 'info', 'warn', 'error', 'debug', 'trace', 'table'] as const;

/** Runs work with console output going to `hear` instead of being printed. */
export function hearConsole<T>(hear: (print: () => void) => void, work: () => T): T {
  const before = methods.map((method) => console[method]);
  methods.forEach((method, i) => {
    console[method] = (...values: unknown[]) => hear(() => before[i]?.(...values));
  });
  try {
    return work();
  } finally {
    methods.forEach((method, i) => {
      const own = before[i];
      if (own !== undefined) console[method] = own;
    });
  }
}
