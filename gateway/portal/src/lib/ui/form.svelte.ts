/**
 * A form's state: what went wrong with the last attempt, whether one is under way, and the key
 * under which it acts once. What was typed is never touched by a failure.
 */
import { getContext, setContext } from 'svelte';
import { Intent } from '../api/client.ts';
import { asProblem, type Finding, type ProblemError } from '../api/problem.ts';

export class Form {
  problem = $state.raw<ProblemError | null>(null);
  busy = $state(false);
  /** Labels of the fields shown, by pointer: for the summary of errors. */
  readonly labels = new Map<string, string>();
  readonly intent = new Intent();

  constructor(
    /** Distinguishes the fields of several forms on one page. */
    readonly name = 'form',
  ) {}

  /**
   * Does `work` unless it is under way. True when it went well; a problem is kept in `problem`,
   * and the intent's key with it, so that trying again cannot act twice.
   */
  async submit(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.problem = null;
    try {
      await work();
      this.intent.done();
      return true;
    } catch (error) {
      this.problem = asProblem(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  findings(pointer: string): Finding[] {
    return this.problem?.at(pointer) ?? [];
  }

  /** The id of the field at a pointer. */
  idOf(pointer: string): string {
    return `${this.name}${pointer.replaceAll('/', '-')}`;
  }

  clear(): void {
    this.problem = null;
    this.intent.done();
  }
}

const KEY = Symbol('form');

export function provideForm(form: () => Form): void {
  setContext(KEY, form);
}

/** The form around a field; fields work without one, and then show what they are told only. */
export function formAround(): Form | null {
  return getContext<(() => Form) | undefined>(KEY)?.() ?? null;
}
