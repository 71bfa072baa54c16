/** The boards, as whoever asks may read them. */
import { api, ok } from '../api/client.ts';
import { session } from '../session/session.svelte.ts';

export interface Wanted {
  limit: number;
  cursor?: string;
  board?: 'notice' | 'library';
  q?: string;
}

export function noticesQuery(query: Wanted) {
  return {
    queryKey: ['auth', 'notices', query, session.claims?.sub],
    queryFn: () => ok(api.GET('/api/v1/auth/notices', { params: { query } })),
    // Only then is it known who asks.
    enabled: session.status !== 'starting',
  };
}

export function noticeQuery(notice_id: string) {
  return {
    queryKey: ['auth', 'notices', notice_id, session.claims?.sub],
    queryFn: () =>
      ok(api.GET('/api/v1/auth/notices/{notice_id}', { params: { path: { notice_id } } })),
    enabled: session.status !== 'starting',
  };
}
