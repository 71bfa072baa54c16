/** What is asked of agreements, expenses and settlements. */
import { answer, api, ok, type Schemas } from '#lib/api/client.ts';

const MOST_PAGES = 50;
const path = (id: string) => ({ params: { path: { agreement_id: id } } });

export const agreement = (id: string) => ({
  queryKey: ['grants', 'agreement', id],
  queryFn: () => ok(api.GET('/api/v1/grants/agreements/{agreement_id}', path(id))),
});

export const documents = (id: string) => ({
  queryKey: ['grants', 'agreement', id, 'documents'],
  queryFn: () => ok(api.GET('/api/v1/grants/agreements/{agreement_id}/documents', path(id))),
});

export const meters = (id: string) => ({
  queryKey: ['grants', 'agreement', id, 'meters'],
  queryFn: () => ok(api.GET('/api/v1/grants/agreements/{agreement_id}/meters', path(id))),
});

/** All expenses of a year, page by page: a rule is looked for among all of them. */
export const expenses = (id: string) => ({
  queryKey: ['grants', 'agreement', id, 'expenses'],
  queryFn: async (): Promise<Schemas['ExpenseOut'][]> => {
    const found: Schemas['ExpenseOut'][] = [];
    let cursor: string | undefined;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const next = await ok(
        api.GET('/api/v1/grants/agreements/{agreement_id}/expenses', {
          params: {
            path: { agreement_id: id },
            query: cursor === undefined ? { limit: 100 } : { limit: 100, cursor },
          },
        }),
      );
      found.push(...next.items);
      if (!next.next_cursor) break;
      cursor = next.next_cursor;
    }
    return found;
  },
});

export const expense = (id: string) => ({
  queryKey: ['grants', 'expense', id],
  queryFn: () =>
    answer(
      api.GET('/api/v1/grants/expenses/{expense_id}', { params: { path: { expense_id: id } } }),
    ),
});

export const decisions = (id: string) => ({
  queryKey: ['grants', 'expense', id, 'decisions'],
  queryFn: () =>
    ok(
      api.GET('/api/v1/grants/expenses/{expense_id}/decisions', {
        params: { path: { expense_id: id } },
      }),
    ),
});

export const objections = (id: string) => ({
  queryKey: ['grants', 'agreement', id, 'objections'],
  queryFn: () => ok(api.GET('/api/v1/grants/agreements/{agreement_id}/objections', path(id))),
});

/** What a settlement would say now; asking changes nothing. */
export const settled = (id: string) => ({
  queryKey: ['grants', 'agreement', id, 'settled'],
  queryFn: () =>
    ok(api.POST('/api/v1/grants/agreements/{agreement_id}/settlement/preview', path(id))),
});
