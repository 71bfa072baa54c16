/**
 * The server's quote for what is being chosen: asked anew whenever something changes. A refused
 * wish has no quote, but its refusal says how much mileage would do.
 */
import { asProblem, type Finding, type ProblemError } from '../api/problem.ts';
import { LiveCheck } from '../grants/draft/livecheck.ts';
import { preview, type Quote, type Wish } from './api.ts';

export class Quoting {
  quote = $state.raw<Quote | null>(null);
  problem = $state.raw<ProblemError | null>(null);
  /** The most mileage that can be used; null while the server has not told. */
  maximum = $state<number | null>(null);

  readonly #check = new LiveCheck<Wish, Quote>(
    preview,
    (quote) => {
      this.quote = quote;
      this.problem = null;
      this.maximum = quote.mileage_max;
    },
    (error) => {
      this.quote = null;
      this.problem = asProblem(error);
      this.maximum = maximumIn(this.problem.findings) ?? this.maximum;
    },
  );

  /** Null for a wish that is not complete. */
  ask(wish: Wish | null): void {
    if (wish !== null) {
      this.#check.check(wish);
      return;
    }
    this.#check.stop();
    this.quote = null;
    this.problem = null;
    this.maximum = null;
  }

  stop(): void {
    this.#check.stop();
  }

  /** What is wrong with one field, in the server's words. */
  told(pointer: string): string | undefined {
    return this.problem?.at(pointer)[0]?.message;
  }
}

function maximumIn(findings: readonly Finding[]): number | null {
  const told = findings
    .filter(({ pointer }) => pointer === '/mileage')
    .map(({ params }) => params?.['maximum'])
    .filter((maximum) => typeof maximum === 'number');
  return told.length === 0 ? null : Math.min(...told);
}
