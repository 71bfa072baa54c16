/** What the agency asks of its calls, and reviewers of their assignments. */
import { api, ok } from '#lib/api/client.ts';

const programmePath = (id: string) => ({ params: { path: { programme_id: id } } });
const receivedPath = (id: string) => ({ params: { path: { proposal_id: id } } });

export const managedCall = (id: string) => ({
  queryKey: ['grants', 'managed', id],
  queryFn: () => ok(api.GET('/api/v1/grants/programmes/managed/{programme_id}', programmePath(id))),
});

export const sheets = (id: string) => ({
  queryKey: ['grants', 'managed', id, 'sheets'],
  queryFn: () =>
    ok(api.GET('/api/v1/grants/programmes/{programme_id}/reviewers', programmePath(id))),
});

export const evaluators = () => ({
  queryKey: ['grants', 'evaluators'],
  queryFn: () => ok(api.GET('/api/v1/auth/evaluators', { params: { query: { limit: 100 } } })),
});

/** Every received proposal that counts for the sheet of reviewers: as many as a page holds. */
export const eligible = (id: string) => ({
  queryKey: ['grants', 'managed', id, 'eligible'],
  queryFn: () =>
    ok(
      api.GET('/api/v1/grants/programmes/{programme_id}/received', {
        params: { path: { programme_id: id }, query: { state: 'eligible', limit: 100 } },
      }),
    ),
});

export const ranking = (id: string) => ({
  queryKey: ['grants', 'managed', id, 'ranking'],
  queryFn: () => ok(api.GET('/api/v1/grants/programmes/{programme_id}/ranking', programmePath(id))),
});

export const received = (id: string) => ({
  queryKey: ['grants', 'received', id],
  queryFn: () => ok(api.GET('/api/v1/grants/received/{proposal_id}', receivedPath(id))),
});

export const preReview = (id: string) => ({
  queryKey: ['grants', 'received', id, 'pre-review'],
  queryFn: () => ok(api.GET('/api/v1/grants/received/{proposal_id}/pre-review', receivedPath(id))),
});

export const facts = (id: string) => ({
  queryKey: ['grants', 'received', id, 'facts'],
  queryFn: () => ok(api.GET('/api/v1/grants/received/{proposal_id}/facts', receivedPath(id))),
});

export const assignments = () => ({
  queryKey: ['grants', 'evaluations'],
  queryFn: () => ok(api.GET('/api/v1/grants/evaluations')),
});
