/** What time it is, once a second while somebody looks. */
class Clock {
  now = $state(Date.now());

  /** Starts ticking; returns how to stop it. */
  run(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 1_000);
    return () => clearInterval(timer);
  }
}

export const clock = new Clock();
