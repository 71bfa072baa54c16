/**
 * Saves a draft while it is written: after a pause, one save at a time, each against the version it
 * was read as. What was typed is never lost: it stays here until it is saved.
 */
export type SaveState = 'saved' | 'waiting' | 'saving' | 'failed' | 'conflict';

/** Somebody else saved meanwhile (412). */
export class Conflict extends Error {}

export interface Saver<T> {
  /** Saves against a version and answers the new one. Throws `Conflict` when it is stale. */
  save(value: T, version: string): Promise<string>;
  /** The version as it stands now, to overwrite it knowingly. */
  current(): Promise<string>;
}

export class Autosave<T> {
  state: SaveState = 'saved';
  error: unknown;
  #pending: { value: T } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly saver: Saver<T>,
    private version: string,
    private readonly changed: (state: SaveState, error: unknown) => void = () => {},
    private readonly pause = 1500,
  ) {}

  get isSafe(): boolean {
    return this.state === 'saved';
  }

  /** This is the draft now. */
  write(value: T): void {
    this.#pending = { value };
    if (this.state === 'conflict') return;
    this.#become('waiting');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), this.pause);
  }

  /** Save now what is not saved; settles when nothing is left, or when it failed. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    if (this.state === 'conflict') return false;
    while (this.#running ?? this.#pending) {
      this.#running ??= this.#save().finally(() => (this.#running = undefined));
      await this.#running;
      if (this.state === 'failed' || this.#inConflict()) return false;
    }
    return true;
  }

  /** 412: keep what was typed here, over what was saved elsewhere. */
  async overwrite(): Promise<boolean> {
    this.version = await this.saver.current();
    this.#become(this.#pending ? 'waiting' : 'saved');
    return this.flush();
  }

  /** The draft was changed by other means (an import) and is at this version now. */
  restart(version: string): void {
    clearTimeout(this.#timer);
    this.#pending = undefined;
    this.version = version;
    this.#become('saved');
  }

  /** The version the draft is at; what else writes it needs it. */
  get at(): string {
    return this.version;
  }

  async #save(): Promise<void> {
    const saving = this.#pending;
    if (!saving) return;
    this.#pending = undefined;
    this.#become('saving');
    try {
      this.version = await this.saver.save(saving.value, this.version);
      if (!this.#pending) this.#become('saved');
    } catch (error) {
      this.#pending ??= saving;
      this.#become(error instanceof Conflict ? 'conflict' : 'failed', error);
    }
  }

  #inConflict(): boolean {
    return this.state === 'conflict';
  }

  #become(state: SaveState, error?: unknown): void {
    this.state = state;
    this.error = error;
    this.changed(state, error);
  }
}
