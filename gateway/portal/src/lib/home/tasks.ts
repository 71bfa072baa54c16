/** What waits for whoever is logged in: one line for each kind of work, counted by its service. */
import { api, ok } from '../api/client.ts';
import { ProblemError } from '../api/problem.ts';
import type { Scope } from '../session/claims.ts';
import type { Session } from '../session/session.svelte.ts';
import type { t } from '../text/home.ts';

type Key = Parameters<typeof t>[0];

interface Kind {
  scope: Scope;
  label: Extract<Key, `task_${string}`>;
  href: string;
  count: () => Promise<number>;
}

export interface Task {
  label: Kind['label'];
  href: string;
  /** Null when its service did not answer. */
  count: number | null;
}

const ONE = { limit: 1 } as const;

const KINDS: readonly Kind[] = [
  {
    scope: 'accrual:apply',
    label: 'task_returned',
    href: '/accrual?state=returned',
    count: () => applications('returned'),
  },
  {
    scope: 'accrual:apply',
    label: 'task_drafts',
    href: '/accrual?state=draft',
    count: () => applications('draft'),
  },
  {
    scope: 'accrual:review',
    label: 'task_review',
    href: '/review',
    count: () => total(api.GET('/api/v1/accrual/review/queue', { params: { query: ONE } })),
  },
  {
    scope: 'exchange:sell',
    label: 'task_orders',
    href: '/exchange/orders',
    count: () => unreadOrders(),
  },
  {
    scope: 'exchange:buy',
    label: 'task_orders',
    href: '/exchange/orders',
    count: () => unreadOrders(),
  },
  {
    scope: 'exchange:admin',
    label: 'task_attention',
    href: '/exchange/attention',
    count: () => total(api.GET('/api/v1/exchange/attention', { params: { query: ONE } })),
  },
  {
    scope: 'grants:apply',
    label: 'task_calls',
    href: '/grants',
    count: () =>
      total(
        api.GET('/api/v1/grants/programmes', { params: { query: { ...ONE, timing: 'open' } } }),
      ),
  },
  {
    scope: 'grants:evaluate',
    label: 'task_evaluations',
    href: '/grants/evaluations',
    count: async () =>
      (await ok(api.GET('/api/v1/grants/evaluations'))).filter(
        ({ sheet }) => sheet.submitted_at === null && sheet.conflict_reason === null,
      ).length,
  },
  {
    scope: 'account:self',
    label: 'task_notices',
    href: '/notices',
    count: async () => (await ok(api.GET('/api/v1/auth/notices/unread'))).unread,
  },
];

/** Everything that waits; what does not is left out. */
export async function tasksOf(session: Session, has: (href: string) => boolean): Promise<Task[]> {
  const kinds = KINDS.filter((kind) => session.can(kind.scope) && has(kind.href));
  const tasks = await Promise.all(
    kinds.map(async ({ label, href, count }) => ({ label, href, count: await told(count) })),
  );
  return tasks.filter((task) => task.count !== 0);
}

async function told(count: () => Promise<number>): Promise<number | null> {
  try {
    return await count();
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return null; // one service that is away does not take the others' work off the page
  }
}

async function total(call: Promise<{ data?: { total: number }; response: Response }>) {
  return (await ok(call)).total;
}

function applications(state: 'draft' | 'returned'): Promise<number> {
  const query = { ...ONE, state: [state] };
  return total(api.GET('/api/v1/accrual/applications', { params: { query } }));
}

async function unreadOrders(): Promise<number> {
  return (await ok(api.GET('/api/v1/exchange/notifications/unread-count'))).unread;
}
