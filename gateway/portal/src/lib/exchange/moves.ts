/** What can be done with an order: what each move asks for, and how it is sent. */
import { api, ok, type Schemas } from '../api/client.ts';
import type { t } from '../text/exchange.ts';
import type { Once, Order } from './api.ts';

/** What the dialog of a move takes; a move sends of it what it has fields for. */
export interface Typed {
  reason: string;
  quantity: number | null;
  points: number | null;
  won: number | null;
  waive: boolean;
  direction: Schemas['PaymentIn']['direction'];
  method: Schemas['PaymentIn']['method'];
  paidOn: string;
  reference: string;
}

type Label = Extract<
  Parameters<typeof t>[0],
  'won_charged' | 'won_paid' | 'won_returned' | 'points_returned'
>;

export interface Move {
  fields?: {
    quantity?: { pointer: string };
    points?: { pointer: string; label: Label };
    won?: { pointer: string; label: Label };
    waive?: true;
    payment?: true;
    reason?: { pointer: '/reason' | '/note'; required: boolean };
  };
  danger?: true;
  send: (id: string, typed: Typed, once: Once) => Promise<Order>;
}

const of = (id: string, once: Once) => ({ path: { order_id: id }, header: once });
const why = { reason: { pointer: '/reason', required: true } } as const;
/** An empty field goes as it is: the server says that something is missing. */
const sent = (value: number | null) => value as number;

const KNOWN: Record<string, Move> = {
  accept: {
    send: (id, _, once) =>
      ok(api.POST('/api/v1/exchange/orders/{order_id}/accept', { params: of(id, once) })),
  },
  start: {
    send: (id, _, once) =>
      ok(api.POST('/api/v1/exchange/orders/{order_id}/start', { params: of(id, once) })),
  },
  complete: {
    fields: {
      quantity: { pointer: '/actual_quantity' },
      reason: { pointer: '/note', required: false },
    },
    send: (id, { quantity, reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/complete', {
          params: of(id, once),
          body: { actual_quantity: sent(quantity), note: reason || null },
        }),
      ),
  },
  record_payment: {
    fields: { payment: true, won: { pointer: '/amount_won', label: 'won_paid' } },
    send: (id, { direction, won, method, paidOn, reference }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/payments', {
          params: of(id, once),
          body: { direction, amount_won: sent(won), method, paid_on: paidOn, reference },
        }),
      ),
  },
  settle: {
    send: (id, _, once) =>
      ok(api.POST('/api/v1/exchange/orders/{order_id}/settle', { params: of(id, once) })),
  },
  consent: {
    send: (id, _, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/adjustment/answer', {
          params: of(id, once),
          body: { consent: true },
        }),
      ),
  },
  reject_adjustment: {
    send: (id, _, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/adjustment/answer', {
          params: of(id, once),
          body: { consent: false },
        }),
      ),
  },
  adjust: {
    fields: { quantity: { pointer: '/quantity' }, ...why },
    send: (id, { quantity, reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/adjustment', {
          params: of(id, once),
          body: { quantity: sent(quantity), reason },
        }),
      ),
  },
  withdraw_dispute: {
    send: (id, _, once) =>
      ok(api.POST('/api/v1/exchange/orders/{order_id}/dispute/withdraw', { params: of(id, once) })),
  },
  resolve: {
    fields: { won: { pointer: '/charged_won', label: 'won_charged' }, ...why },
    send: (id, { won, reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/dispute/resolve', {
          params: of(id, once),
          body: { charged_won: sent(won), reason },
        }),
      ),
  },
  dispute: {
    fields: why,
    danger: true,
    send: (id, { reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/dispute', {
          params: of(id, once),
          body: { reason },
        }),
      ),
  },
  refund: {
    fields: {
      points: { pointer: '/mileage', label: 'points_returned' },
      won: { pointer: '/cash_won', label: 'won_returned' },
      ...why,
    },
    danger: true,
    send: (id, { points, won, reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/refund', {
          params: of(id, once),
          body: { mileage: points ?? 0, cash_won: won ?? 0, reason },
        }),
      ),
  },
  no_show: {
    fields: { waive: true },
    danger: true,
    send: (id, { waive }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/no-show', {
          params: of(id, once),
          body: { waive },
        }),
      ),
  },
  decline: {
    fields: why,
    danger: true,
    send: (id, { reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/decline', {
          params: of(id, once),
          body: { reason },
        }),
      ),
  },
  call_off: {
    fields: why,
    danger: true,
    send: (id, { reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/call-off', {
          params: of(id, once),
          body: { reason },
        }),
      ),
  },
  cancel: {
    fields: why,
    danger: true,
    send: (id, { reason }, once) =>
      ok(
        api.POST('/api/v1/exchange/orders/{order_id}/cancel', {
          params: of(id, once),
          body: { reason },
        }),
      ),
  },
};

const ANSWERS = new Set(['consent', 'reject_adjustment']);
/** What leads an order on: the first of these that is possible is the page's main button. */
const ONWARD = ['consent', 'accept', 'start', 'complete', 'settle', 'record_payment'];

/** The moves the server offers, in the order of the list above. */
export function movesOf(order: Order): { name: string; move: Move }[] {
  const open = order.proposed_quantity !== null;
  return Object.entries(KNOWN)
    .map(([name, move]) => ({ name, move }))
    .filter(({ name }) => order.actions.includes(name) && (open || !ANSWERS.has(name)));
}

/** Cash that is still missing comes before the settlement. */
export function mainMove(order: Order): string | undefined {
  const possible = new Set(movesOf(order).map(({ name }) => name));
  if (order.paid_won < order.cash_due_won && possible.has('settle')) return 'record_payment';
  return ONWARD.find((name) => possible.has(name) && name !== 'record_payment');
}
