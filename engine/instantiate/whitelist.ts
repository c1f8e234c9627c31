import { InstantiateError } from './errors.ts';

/** Passed instead of patterns, says that every target is welcome. */
export const UNSAFE_ALLOW_ALL_TARGETS = Symbol('UNSAFE_ALLOW_ALL_TARGETS');

/** Names of targets that a config may use; a trailing `.*` allows everything below a name. */
export type TargetWhitelist = string | readonly string[] | typeof UNSAFE_ALLOW_ALL_TARGETS;

/** The checked form of a whitelist; `undefined` allows what is not blocked. */
export type CheckedWhitelist = readonly string[] | typeof UNSAFE_ALLOW_ALL_TARGETS | undefined;

/** Checks the patterns. Throws 'instantiate.whitelist-invalid' for one that would allow too much or nothing. */
export function checkWhitelist(whitelist: TargetWhitelist | undefined): CheckedWhitelist {
  if (whitelist === undefined || whitelist === UNSAFE_ALLOW_ALL_TARGETS) return whitelist;
  return (typeof whitelist === 'string' ? [whitelist] : whitelist).map(checkPattern);
}

function checkPattern(pattern: string): string {
  if (pattern === '') throw invalid('Invalid _target_whitelist_ entry: empty string');
  if (!pattern.includes('*')) return pattern;
  if (pattern === '*' || !pattern.endsWith('.*') || pattern.indexOf('*') !== pattern.length - 1) {
    throw invalid(
      `Invalid _target_whitelist_ entry '${pattern}'. Only trailing '.*'\n` +
        `package wildcards are supported: write 'models.*', or pass UNSAFE_ALLOW_ALL_TARGETS to allow every target.`,
    );
  }
  const prefix = pattern.slice(0, -2);
  if (prefix === '' || prefix.endsWith('.')) {
    throw invalid(`Invalid _target_whitelist_ entry '${pattern}': missing package prefix`);
  }
  return pattern;
}

function invalid(message: string): InstantiateError {
  return new InstantiateError('whitelist-invalid', message);
}

/** True when the patterns allow the target with this canonical name. */
export function isWhitelisted(name: string, whitelist: readonly string[]): boolean {
  return whitelist.some((pattern) => (pattern.endsWith('.*') ? isBelow(name, pattern.slice(0, -2)) : name === pattern));
}

function isBelow(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && ['.', '/', '#'].includes(name.charAt(prefix.length));
}

/**
 * What Hydra refuses in Python: a config written for it gets the same answer here. Node's own modules are named `node:…`;
 * no other spelling leads to them.
 */
const BLOCKED_MODULES = ['ctypes', 'pty', 'runpy', 'subprocess'];

const BLOCKED_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  builtins: ['exec', 'eval', '__import__', 'compile', 'exit', 'quit', 'help'],
  importlib: ['import_module'],
  shutil: ['rmtree', 'move', 'chown'],
  os: [
    'kill killpg system popen putenv remove removedirs rmdir rename renames replace unlink truncate startfile',
    'setuid fork forkpty posix_spawn posix_spawnp chdir fchdir getcwd chroot chmod fchmod lchmod chown fchown lchown',
    'lchflags',
  ].flatMap((line) => line.split(' ')),
};

/** True for a target that is refused even where no whitelist is given. */
export function isBlocked(target: string): boolean {
  if (target.startsWith('node:')) return true;
  const [first = '', ...rest] = target.split('.');
  const module = first === 'posix' || first === 'nt' ? 'os' : first;
  if (rest.length === 0) return false;
  if (BLOCKED_MODULES.includes(module)) return true;
  const member = rest.join('.');
  if (module === 'os' && (member.startsWith('exec') || member.startsWith('spawn'))) return true;
  if (module === 'sys' && member.startsWith('modules.')) return true;
  return BLOCKED_MEMBERS[module]?.includes(member) ?? false;
}
