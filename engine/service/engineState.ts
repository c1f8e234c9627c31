import { EngineError } from '../api/errors.ts';
import type { EngineEvent } from '../api/events.ts';
import type { Disposable } from '../base/disposable.ts';
import { Emitter } from '../base/event.ts';
import type { StartRunDependencies } from '../launch/index.ts';
import { type OpenProject, type OpenProjectOptions, openProject } from './openProject.ts';
import { defaultSettingsDir, UserState } from './userState.ts';

export interface EngineOptions {
  /** The project to begin with; the engine also starts where there is none, and says so when asked for it. */
  readonly projectDir: string;
  readonly storeFile?: string | undefined;
  /** Where settings, recent and trusted projects are kept; the platform's place unless given. */
  readonly settingsDir?: string | undefined;
  /** True where a person named the project on the command line: its code may run for as long as this engine lives. */
  readonly trustProject?: boolean | undefined;
  /** False for a single command: nothing is watched and nothing followed. */
  readonly isWatching?: boolean | undefined;
  /** Another training process than the real one. */
  readonly workerModule?: string | undefined;
}

/** What the handlers share: the project that is open, the user's state and the events. */
export class EngineState implements Disposable {
  readonly user: UserState;
  readonly workerModule: string | undefined;
  readonly #events = new Emitter<EngineEvent>();
  readonly #trustedHere = new Set<string>();
  readonly #openOptions: OpenProjectOptions;
  #current: OpenProject | undefined;
  #problem: EngineError | undefined;

  readonly onEvent = this.#events.event;

  constructor(options: EngineOptions) {
    this.workerModule = options.workerModule;
    this.user = new UserState(options.settingsDir ?? defaultSettingsDir());
    this.#openOptions = { storeFile: options.storeFile, isWatching: options.isWatching ?? true };
    try {
      const opened = this.#open(options.projectDir);
      if (options.trustProject) this.#trustedHere.add(opened.project.root);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      this.#problem = error;
    }
  }

  /** The open project. Throws why there is none. */
  get current(): OpenProject {
    if (this.#current) return this.#current;
    throw this.#problem ?? new EngineError('project.none', 'No project is open. Open or create one first.');
  }

  /** Opens another project; the one before stays open when that fails. */
  async open(root: string): Promise<OpenProject> {
    const previous = this.#current;
    const opened = this.#open(root);
    await previous?.dispose();
    this.fire({ type: 'project.changed' });
    return opened;
  }

  /** What starting a run needs of the engine. */
  get launching(): StartRunDependencies {
    const { store } = this.current;
    return { store, ...(this.workerModule === undefined ? {} : { workerModule: this.workerModule }) };
  }

  isTrusted(root: string): boolean {
    return this.#trustedHere.has(root) || this.user.isTrusted(root);
  }

  /** Remembers the decision; distrust also ends what the command line allowed. */
  trust(root: string, trusted: boolean): void {
    if (!trusted) this.#trustedHere.delete(root);
    this.user.trust(root, trusted);
  }

  /** Throws `project.not-trusted` where the project's code may not run. */
  assertTrusted(): void {
    const { root } = this.current.project;
    if (this.isTrusted(root)) return;
    throw new EngineError(
      'project.not-trusted',
      `The code of ${root} may not run: the project is not trusted yet. Look at what it does, then trust it.`,
      { root },
    );
  }

  fire(event: EngineEvent): void {
    this.#events.fire(event);
  }

  async dispose(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    this.#problem = new EngineError('engine.ended', 'The engine has ended.');
    await current?.dispose();
    this.#events.dispose();
  }

  #open(root: string): OpenProject {
    const opened = openProject(root, this.#openOptions, (event) => this.fire(event));
    this.#current = opened;
    this.#problem = undefined;
    return opened;
  }
}
