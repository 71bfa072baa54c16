/**
 * A draft's rows on their way to the server: saved as one types, checked at every save.
 *
 * One request at a time, each with the version it has seen. When somebody else was faster (412),
 * nothing is lost and nothing is sent until the user has chosen between the two.
 */
import { api, ifMatch, ok, type Schemas } from '../api/client.ts';
import { asProblem, type ProblemError } from '../api/problem.ts';
import type { Row } from '../pastegrid';
import {
  allRows,
  cellsOf,
  detail,
  gridRows,
  type Check,
  type Detail,
  type Finding,
} from './api.ts';
import { changesOf, merge, type Merge } from './changes.ts';

/** A pause in typing this long is one save; what is pasted is sent with the next pause, too. */
const PAUSE_MS = 700;
/** More changed rows than this are sent as the whole sheet. */
const MOST_PATCHED = 2_000;

export type SaveState = 'saved' | 'unsaved' | 'saving' | 'failed' | 'conflict';

export interface Conflict extends Merge {
  latest: Row[];
  version: number;
}

export class Draft {
  state = $state<SaveState>('saved');
  savedAt = $state<Date | null>(null);
  problem = $state.raw<ProblemError | null>(null);
  conflict = $state.raw<Conflict | null>(null);
  check = $state.raw<Check | null>(null);
  application = $state.raw<Detail>() as Detail;
  /** What the grid is to show: set when the rows come from elsewhere than the grid. */
  shown = $state.raw<readonly Row[]>([]);

  #saved: readonly Row[] = [];
  #rows: readonly Row[] = [];
  #version = $state(0);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | null = null;

  constructor(
    readonly id: string,
    readonly keys: readonly string[],
  ) {}

  get version(): number {
    return this.#version;
  }

  get isSettled(): boolean {
    return this.state === 'saved';
  }

  get findings(): readonly Finding[] {
    return this.check?.findings ?? [];
  }

  /** Everything anew, as the server has it. */
  async load(): Promise<void> {
    const [{ data, etag }, { rows }] = await Promise.all([detail(this.id), allRows(this.id)]);
    this.application = data;
    this.#version = versionOf(etag);
    this.#take(gridRows(rows, this.keys));
    this.conflict = null;
    this.problem = null;
    this.state = 'saved';
    await this.judge();
  }

  /** The server has taken a whole sheet: its version is the one to go on from. */
  async took(version: number): Promise<void> {
    this.#version = version;
    await this.load();
  }

  /** What the checks say now: after evidence was attached, say. Changes nothing. */
  async judge(): Promise<void> {
    const params = { path: { application_id: this.id } };
    this.check = await ok(
      api.POST('/api/v1/accrual/applications/{application_id}/preview', { params }),
    );
  }

  /** The application's files and state anew; its rows are left alone. */
  async refresh(): Promise<void> {
    this.application = (await detail(this.id)).data;
    if (this.isSettled) await this.judge();
  }

  /** The grid has other rows now. */
  changed(rows: readonly Row[]): void {
    this.#rows = rows;
    if (this.state === 'conflict') return;
    if (this.state !== 'saving') this.state = 'unsaved';
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.flush(), PAUSE_MS);
  }

  /** Sends what is not saved yet; resolves when there is nothing more to send, or it failed. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    // Of several who waited for the same save the first begins the next one, the others wait again.
    while (this.#running !== null) await this.#running;
    if (this.state === 'saved' || this.state === 'conflict') return;
    this.#running = this.#save().finally(() => (this.#running = null));
    await this.#running;
    // Whoever typed on meanwhile has started the next pause already.
  }

  /** An edit of the same application by other means, in its turn: `work` gets the version seen. */
  async inTurn(work: (version: number) => Promise<unknown>): Promise<void> {
    await this.flush();
    await work(this.#version);
    await this.load();
  }

  /** Both sides' changes, with mine where they differ. */
  async keepMine(): Promise<void> {
    const conflict = this.conflict;
    if (!conflict) return;
    // Anew: somebody may have typed on while he was asked.
    const { rows } = merge(this.#saved, this.#rows, conflict.latest);
    this.#version = conflict.version;
    this.#saved = conflict.latest;
    this.#rows = this.shown = rows;
    this.conflict = null;
    this.state = 'unsaved';
    await this.flush();
  }

  async #save(): Promise<void> {
    const rows = this.#rows;
    const { set, deleted } = changesOf(this.#saved, rows);
    if (set.length + deleted.length === 0) {
      this.problem = null;
      this.state = 'saved';
      return;
    }
    this.state = 'saving';
    this.problem = null;
    try {
      this.check = await this.#send(rows, set, deleted);
      this.#saved = rows;
      this.savedAt = new Date();
      this.state = this.#rows === rows ? 'saved' : 'unsaved';
    } catch (error) {
      const problem = asProblem(error);
      if (problem.status === 412) await this.#compare();
      else this.#fail(problem);
    }
  }

  async #send(
    rows: readonly Row[],
    set: number[],
    deleted: number[],
  ): Promise<Schemas['SavedOut']> {
    const rowOf = (number: number) => ({ number, cells: cellsOf(rows[number - 1], this.keys) });
    const params = { path: { application_id: this.id } };
    const headers = ifMatch(this.#version);
    const path = '/api/v1/accrual/applications/{application_id}/rows';
    const sending =
      set.length > MOST_PATCHED
        ? ok(api.PUT(path, { params, headers, body: { rows: rows.map((_, at) => rowOf(at + 1)) } }))
        : ok(api.PATCH(path, { params, headers, body: { set: set.map(rowOf), delete: deleted } }));
    const saved = await sending;
    this.#version = saved.version;
    return saved;
  }

  /** Somebody was faster: what has each side changed since we last agreed? */
  async #compare(): Promise<void> {
    try {
      const [{ data, etag }, { rows }] = await Promise.all([detail(this.id), allRows(this.id)]);
      this.application = data;
      const latest = gridRows(rows, this.keys);
      const merged = merge(this.#saved, this.#rows, latest);
      this.conflict = { ...merged, latest, version: versionOf(etag) };
      this.state = 'conflict';
    } catch (error) {
      this.#fail(asProblem(error));
    }
  }

  #fail(problem: ProblemError): void {
    this.problem = problem;
    this.state = 'failed';
  }

  #take(rows: readonly Row[]): void {
    this.#saved = this.#rows = this.shown = rows;
  }
}

function versionOf(etag: string): number {
  return Number(etag.replace(/^W\/|"/g, ''));
}
