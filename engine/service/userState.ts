import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir, platform } from 'node:os';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { type RecentProject, Settings } from '../api/projectModel.ts';

const MOST_RECENT = 20;

const UserFile = z.object({
  settings: Settings,
  recent: z.array(z.object({ root: z.string(), name: z.string(), openedAt: z.number() })),
  /** Projects whose code may run. */
  trusted: z.array(z.string()),
});
type UserFile = z.infer<typeof UserFile>;

const defaults: UserFile = { settings: { theme: 'system', chartSmoothing: 0 }, recent: [], trusted: [] };

/** The folder where this platform keeps a program's settings. */
export function defaultSettingsDir(environment: NodeJS.ProcessEnv = process.env): string {
  if (platform() === 'win32') return join(environment.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'AccelHydra');
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Application Support', 'AccelHydra');
  return join(environment.XDG_CONFIG_HOME || join(homedir(), '.config'), 'accelhydra');
}

/**
 * What the app remembers about its user: settings, recent and trusted projects. Read from disk every time, because
 * several engines may run; a damaged file counts as absent and is kept aside.
 */
export class UserState {
  readonly #file: string;

  constructor(settingsDir: string) {
    this.#file = join(settingsDir, 'settings.json');
  }

  get settings(): Settings {
    return this.#read().settings;
  }

  updateSettings(patch: { readonly [K in keyof Settings]?: Settings[K] | undefined }): Settings {
    return this.#change((file) => ({
      ...file,
      settings: Settings.parse({ ...file.settings, ...withoutUndefined(patch) }),
    })).settings;
  }

  /** Latest first. */
  recentProjects(): RecentProject[] {
    return this.#read().recent.map((project) => ({ ...project, missing: !existsSync(project.root) }));
  }

  rememberProject(root: string, name: string, openedAt: number): void {
    this.#change((file) => ({
      ...file,
      recent: [
        { root, name: name || basename(root), openedAt },
        ...file.recent.filter((other) => other.root !== root),
      ].slice(0, MOST_RECENT),
    }));
  }

  isTrusted(root: string): boolean {
    return this.#read().trusted.includes(root);
  }

  trust(root: string, trusted: boolean): void {
    this.#change((file) => {
      const others = file.trusted.filter((other) => other !== root);
      return { ...file, trusted: trusted ? [...others, root] : others };
    });
  }

  #read(): UserFile {
    if (!existsSync(this.#file)) return defaults;
    try {
      return UserFile.parse(JSON.parse(readFileSync(this.#file, 'utf8')));
    } catch {
      return defaults;
    }
  }

  #change(update: (file: UserFile) => UserFile): UserFile {
    const current = this.#read();
    if (current === defaults && existsSync(this.#file)) renameSync(this.#file, `${this.#file}.damaged`);
    const next = update(current);
    mkdirSync(join(this.#file, '..'), { recursive: true });
    const beside = `${this.#file}.${process.pid}.tmp`;
    writeFileSync(beside, `${JSON.stringify(next, null, 2)}\n`);
    renameSync(beside, this.#file);
    return next;
  }
}

function withoutUndefined(patch: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
}
