/** What the grants pages ask, by the name it is kept under. */
import { api, ok } from '#lib/api/client.ts';
import type { Schema } from './form/schema.ts';
import type { RuleSet } from './rules.ts';

export const call = (id: string) => ({
  queryKey: ['grants', 'call', id],
  queryFn: () =>
    ok(
      api.GET('/api/v1/grants/programmes/{programme_id}', {
        params: { path: { programme_id: id } },
      }),
    ),
});

/** The rules of a published call never change. */
export const callRules = (id: string) => ({
  queryKey: ['grants', 'rules', id],
  staleTime: Infinity,
  queryFn: async () =>
    (await ok(
      api.GET('/api/v1/grants/programmes/{programme_id}/rules', {
        params: { path: { programme_id: id } },
      }),
    )) as RuleSet,
});

export const callForm = (code: string, version: number) => ({
  queryKey: ['grants', 'form', code, version],
  staleTime: Infinity,
  queryFn: async () =>
    (await ok(
      api.GET('/api/v1/grants/forms/{code}/{version}', { params: { path: { code, version } } }),
    )) as Schema,
});

const proposalPath = (id: string) => ({ params: { path: { proposal_id: id } } });

export const proposal = (id: string) => ({
  queryKey: ['grants', 'proposal', id],
  queryFn: () => ok(api.GET('/api/v1/grants/proposals/{proposal_id}', proposalPath(id))),
});

export const receipts = (id: string) => ({
  queryKey: ['grants', 'proposal', id, 'receipts'],
  queryFn: () => ok(api.GET('/api/v1/grants/proposals/{proposal_id}/receipts', proposalPath(id))),
});

export const history = (id: string) => ({
  queryKey: ['grants', 'proposal', id, 'history'],
  queryFn: () => ok(api.GET('/api/v1/grants/proposals/{proposal_id}/history', proposalPath(id))),
});

export const results = (id: string) => ({
  queryKey: ['grants', 'proposal', id, 'results'],
  queryFn: () => ok(api.GET('/api/v1/grants/proposals/{proposal_id}/results', proposalPath(id))),
});

export const completions = (id: string) => ({
  queryKey: ['grants', 'proposal', id, 'completions'],
  queryFn: () =>
    ok(api.GET('/api/v1/grants/proposals/{proposal_id}/completions', proposalPath(id))),
});

export const files = (id: string) => ({
  queryKey: ['grants', 'proposal', id, 'files'],
  queryFn: () => ok(api.GET('/api/v1/grants/proposals/{proposal_id}/files', proposalPath(id))),
});

export const participation = (id: string) => ({
  queryKey: ['grants', 'proposal', id, 'participation'],
  queryFn: () =>
    ok(api.GET('/api/v1/grants/proposals/{proposal_id}/participation', proposalPath(id))),
});
