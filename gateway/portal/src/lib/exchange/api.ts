/** What the exchange's pages ask of the server. */
import { api, ok, type Schemas } from '../api/client.ts';

export type Listing = Schemas['ListingOut'];
export type ListingItem = Schemas['ListingSummary'];
export type Order = Schemas['OrderOut'];
export type OrderDetail = Schemas['OrderDetail'];
export type Quote = Schemas['QuoteOut'];
export type Wish = Schemas['OrderIn'];
export type Once = { 'Idempotency-Key': string };

export const EXCHANGE = '/api/v1/exchange';

export function listing(id: string): Promise<Listing> {
  const params = { path: { listing_id: id } };
  return ok(api.GET('/api/v1/exchange/listings/{listing_id}', { params }));
}

/** What is free between two instants, and what is booked. */
export function availability(id: string, start: string, end: string) {
  const params = { path: { listing_id: id }, query: { start, end } };
  return ok(api.GET('/api/v1/exchange/listings/{listing_id}/availability', { params }));
}

export function askForAccess(id: string, note: string) {
  const params = { path: { listing_id: id } };
  const body = { note: note || null };
  return ok(api.POST('/api/v1/exchange/listings/{listing_id}/access', { params, body }));
}

export function preview(wish: Wish, signal: AbortSignal): Promise<Quote> {
  return ok(api.POST('/api/v1/exchange/orders/preview', { body: wish, signal }));
}

export function request(wish: Wish, headers: Once): Promise<Order> {
  return ok(api.POST('/api/v1/exchange/orders', { params: { header: headers }, body: wish }));
}

export function order(id: string): Promise<OrderDetail> {
  const params = { path: { order_id: id } };
  return ok(api.GET('/api/v1/exchange/orders/{order_id}', { params }));
}
