/**
 * The server's check of what is being typed: asked after a pause, given up as soon as there is
 * something newer, so that an old answer never marks a new text.
 */
export class LiveCheck<T, R> {
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | undefined;

  constructor(
    private readonly ask: (value: T, signal: AbortSignal) => Promise<R>,
    private readonly told: (answer: R) => void,
    private readonly failed: (error: unknown) => void = () => {},
    private readonly pause = 400,
  ) {}

  /** Check this, unless something newer comes within the pause. */
  check(value: T, pause = this.pause): void {
    this.stop();
    this.#timer = setTimeout(() => void this.#run(value), pause);
  }

  /** Forget what is waiting or under way. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = undefined;
  }

  async #run(value: T): Promise<void> {
    const mine = new AbortController();
    this.#running = mine;
    try {
      const answer = await this.ask(value, mine.signal);
      if (!mine.signal.aborted) this.told(answer);
    } catch (error) {
      if (!mine.signal.aborted) this.failed(error);
    }
  }
}
