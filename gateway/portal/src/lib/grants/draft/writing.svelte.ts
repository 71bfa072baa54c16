/**
 * A proposal being written: the document as it is on the screen, what the server says of it, and
 * how far it is saved. Values are replaced, never changed in place.
 */
import { answer, api, ifMatch, ok } from '#lib/api/client.ts';
import { ProblemError } from '#lib/api/problem.ts';
import { valueAt, withValue, type Json, type JsonObject } from '../pointer.ts';
import type { Check, Finding, ProposalDetail } from '../types.ts';
import { Autosave, Conflict, type SaveState } from './autosave.ts';
import { LiveCheck } from './livecheck.ts';

interface Draft {
  title: string;
  document: JsonObject;
}

interface Asked {
  document: JsonObject;
  /** Whether this is what is saved: then other projects of its people are looked at too. */
  saved: boolean;
}

export class Writing {
  readonly id: string;
  readonly programme: string;
  title: string = $state('');
  document: JsonObject = $state.raw({});
  check: Check | undefined = $state.raw();
  checking: boolean = $state(false);
  /** The check could not be asked; what is shown is of an earlier text. */
  unchecked: boolean = $state(false);
  saving: SaveState = $state('saved');
  problem: ProblemError | undefined = $state.raw();
  savedAt: Date | undefined = $state.raw();
  readonly #autosave: Autosave<Draft>;
  readonly #live: LiveCheck<Asked, Check>;

  constructor(proposal: ProposalDetail, etag: string) {
    this.id = proposal.id;
    this.programme = proposal.programme_id;
    this.title = proposal.title;
    this.document = proposal.document as JsonObject;
    const saver = { save: this.#save, current: async () => (await this.#read()).etag };
    this.#autosave = new Autosave(saver, etag, this.#saved);
    this.#live = new LiveCheck(this.#ask, this.#told, this.#untold);
    this.recheck(true);
  }

  get findings(): readonly Finding[] {
    return this.check?.findings ?? [];
  }

  get errors(): readonly Finding[] {
    return this.findings.filter((finding) => finding.level === 'error');
  }

  get version(): string {
    return this.#autosave.at;
  }

  get isSafe(): boolean {
    return this.saving === 'saved';
  }

  at(pointer: string): Json | undefined {
    return valueAt(this.document, pointer);
  }

  set(pointer: string, value: Json | undefined): void {
    this.document = withValue(this.document, pointer, value) as JsonObject;
    this.#changed();
  }

  rename(title: string): void {
    this.title = title;
    this.#changed();
  }

  /** Save now what is not saved yet. */
  flush(): Promise<boolean> {
    return this.#autosave.flush();
  }

  overwrite(): Promise<boolean> {
    return this.#autosave.overwrite();
  }

  /** Take over what is saved, here forgotten: after an import, or to see the other's text. */
  async reload(): Promise<void> {
    const { data, etag } = await this.#read();
    this.title = data.title;
    this.document = data.document as JsonObject;
    this.#autosave.restart(etag);
    this.recheck(true);
  }

  recheck(saved = this.isSafe): void {
    this.checking = true;
    this.#live.check({ document: this.document, saved }, 0);
  }

  stop(): void {
    this.#live.stop();
  }

  #changed(): void {
    // A title is never empty on the server: the last one stays until there is another.
    if (this.title.trim()) {
      this.#autosave.write({ title: this.title.trim(), document: this.document });
    }
    this.checking = true;
    this.#live.check({ document: this.document, saved: false });
  }

  #read() {
    const path = { proposal_id: this.id };
    return answer(api.GET('/api/v1/grants/proposals/{proposal_id}', { params: { path } }));
  }

  #save = async (draft: Draft, version: string): Promise<string> => {
    try {
      const { etag } = await answer(
        api.PUT('/api/v1/grants/proposals/{proposal_id}', {
          params: { path: { proposal_id: this.id } },
          headers: ifMatch(version),
          body: draft,
        }),
      );
      return etag;
    } catch (error) {
      if (error instanceof ProblemError && error.status === 412) throw new Conflict();
      throw error;
    }
  };

  #saved = (state: SaveState, error: unknown): void => {
    this.saving = state;
    this.problem = error instanceof ProblemError ? error : undefined;
    if (state !== 'saved') return;
    this.savedAt = new Date();
    this.recheck(true);
  };

  #ask = ({ document, saved }: Asked, signal: AbortSignal): Promise<Check> =>
    saved
      ? ok(
          api.GET('/api/v1/grants/proposals/{proposal_id}/check', {
            params: { path: { proposal_id: this.id } },
            signal,
          }),
        )
      : ok(
          api.POST('/api/v1/grants/programmes/{programme_id}/check', {
            params: { path: { programme_id: this.programme } },
            body: document,
            signal,
          }),
        );

  #told = (check: Check): void => {
    this.check = check;
    this.checking = false;
    this.unchecked = false;
  };

  #untold = (): void => {
    this.checking = false;
    this.unchecked = true;
  };
}
