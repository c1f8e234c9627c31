/**
 * What people type, brought into the one spelling that the commands declare: Hydra's two-letter short options and
 * accelerate's underscores, which its newer versions write as hyphens. What comes after `--` is left alone.
 */
export function normalizeArguments(argv: readonly string[], longOptions: readonly string[]): string[] {
  const spellings = new Map(longOptions.map((option) => [plain(option), option]));
  const end = argv.indexOf('--');
  const options = end === -1 ? argv : argv.slice(0, end);
  const rest = end === -1 ? [] : argv.slice(end);
  return [...options.map((argument) => normalize(argument, spellings)), ...rest];
}

const hydraShorts: Readonly<Record<string, string>> = {
  '-cn': '--config-name',
  '-cp': '--config-path',
  '-cd': '--config-dir',
};

function normalize(argument: string, spellings: ReadonlyMap<string, string>): string {
  const short = hydraShorts[argument];
  if (short) return short;
  const match = /^--([A-Za-z][\w-]*)(=.*)?$/su.exec(argument);
  if (!match) return argument;
  const [, name = '', value = ''] = match;
  return `${spellings.get(plain(`--${name}`)) ?? `--${name}`}${value}`;
}

function plain(option: string): string {
  return option.replaceAll('_', '-');
}
