/**
 * A config as flat hyper-parameters: nested keys joined by dots, lists and empty mappings kept as they are.
 * `{optimizer: {lr: 0.1, betas: [0.9, 0.99]}}` gives `{'optimizer.lr': 0.1, 'optimizer.betas': [0.9, 0.99]}`.
 */
export function flattenHyperparameters(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const flat: Record<string, unknown> = {};
  const visit = (value: unknown, path: string): void => {
    const entries = isMapping(value) ? Object.entries(value) : [];
    if (entries.length === 0) flat[path] = value;
    for (const [key, item] of entries) visit(item, `${path}.${key}`);
  };
  for (const [key, value] of Object.entries(config)) visit(value, key);
  return flat;
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
