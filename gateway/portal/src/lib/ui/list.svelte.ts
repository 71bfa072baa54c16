/**
 * A list whose state is its address: filters, order, page. Use one for each list of a page:
 *
 *     const list = new List(['status', 'q']);
 *     const query = createQuery(() => ({
 *       queryKey: ['accrual', 'applications', list.key],
 *       queryFn: () => ok(api.GET('/api/v1/…', { params: { query: { ...list.paging } } })),
 *     }));
 *
 * The API pages by opaque cursors, which lead forward only; the way back is remembered here.
 */
import { goto } from '$app/navigation';
import { page } from '$app/state';

/** Cursors of visited pages, by list and page number. */
const visited = new Map<string, string>();

export class List {
  constructor(
    readonly filters: readonly string[],
    readonly limit = 20,
  ) {}

  /** A filter's value; undefined while it is not set. */
  get(name: string): string | undefined {
    return page.url.searchParams.get(name) || undefined;
  }

  get sort(): string | undefined {
    return this.get('sort');
  }

  /** Counted from 1. */
  get number(): number {
    return Math.max(1, Number(this.get('page')) || 1);
  }

  get paging(): { limit: number; cursor?: string } {
    const cursor = this.get('cursor');
    return cursor === undefined ? { limit: this.limit } : { limit: this.limit, cursor };
  }

  /** Everything that decides what is shown: part of the query's key. */
  get key(): string {
    return page.url.search;
  }

  /** Whether anything narrows the list down. */
  get filtered(): boolean {
    return this.filters.some((name) => this.get(name) !== undefined);
  }

  /** Filters anew, from the first page on. */
  set(values: Record<string, string | undefined>): Promise<void> {
    const params = this.#kept();
    for (const [name, value] of Object.entries(values)) {
      if (value) params.set(name, value);
      else params.delete(name);
    }
    return this.#go(params);
  }

  clear(): Promise<void> {
    return this.set(Object.fromEntries(this.filters.map((name) => [name, undefined])));
  }

  hrefOfNext(cursor: string): string {
    visited.set(this.#place(this.number + 1), cursor);
    return this.#href(this.number + 1, cursor);
  }

  /** Null on the first page. The first page itself where the way back is not known. */
  get hrefOfPrevious(): string | null {
    if (this.number === 1) return null;
    const cursor = visited.get(this.#place(this.number - 1));
    return cursor === undefined ? this.#href(1) : this.#href(this.number - 1, cursor);
  }

  #href(number: number, cursor?: string): string {
    const params = this.#kept();
    if (number > 1 && cursor !== undefined) {
      params.set('cursor', cursor);
      params.set('page', String(number));
    }
    return `?${params}`;
  }

  #place(number: number): string {
    return `${page.url.pathname}?${this.#kept()}#${number}`;
  }

  /** The parameters without the page. */
  #kept(): URLSearchParams {
    const params = new URLSearchParams(page.url.search);
    params.delete('cursor');
    params.delete('page');
    return params;
  }

  #go(params: URLSearchParams): Promise<void> {
    return goto(`?${params}`, { reset: false });
  }
}
