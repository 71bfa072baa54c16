/** A listing as its form holds it, and as the API takes it. */
import { api, answer, ifMatch, ok, type Schemas } from '../api/client.ts';
import type { Listing } from './api.ts';

type Sent = Schemas['ListingIn'];

/** Numbers are null while nothing is typed; a day without hours is closed. */
export interface Draft {
  kind: Sent['kind'];
  use_mode: Sent['use_mode'];
  unit: Sent['unit'];
  title: string;
  description: string;
  maker: string;
  model: string;
  location: string;
  nfec_number: string;
  zeus_number: string;
  price_won: number | null;
  min_quantity: number | null;
  max_quantity: number | null;
  lead_time_hours: number | null;
  answer_within_hours: number | null;
  free_until_hours: number | null;
  late_fee_percent: number | null;
  no_show_fee_percent: number | null;
  training_required: boolean;
  training_note: string;
  terms: string;
  weekly: Hours[];
}

export interface Hours {
  weekday: number;
  opens: string;
  closes: string;
}

export function draftOf(listing: Listing | null): Draft {
  return {
    kind: listing?.kind ?? 'equipment',
    use_mode: listing?.use_mode ?? 'direct',
    unit: listing?.unit ?? 'hour',
    title: listing?.title ?? '',
    description: listing?.description ?? '',
    maker: listing?.maker ?? '',
    model: listing?.model ?? '',
    location: listing?.location ?? '',
    nfec_number: listing?.nfec_number ?? '',
    zeus_number: listing?.zeus_number ?? '',
    price_won: listing?.price_won ?? null,
    min_quantity: listing?.min_quantity ?? 1,
    max_quantity: listing?.max_quantity ?? 100,
    lead_time_hours: listing?.lead_time_hours ?? 24,
    answer_within_hours: listing?.answer_within_hours ?? 72,
    free_until_hours: listing?.cancellation.free_until_hours ?? 24,
    late_fee_percent: listing?.cancellation.late_fee_percent ?? 0,
    no_show_fee_percent: listing?.cancellation.no_show_fee_percent ?? 0,
    training_required: listing?.training_required ?? false,
    training_note: listing?.training_note ?? '',
    terms: listing?.terms ?? '',
    weekly: (listing?.calendar.weekly ?? []).map((hours) => ({ ...hours })),
  };
}

/** `before` keeps what the form does not show: the days that differ from the week. */
export function bodyOf(draft: Draft, before: Listing | null): Sent {
  const { free_until_hours, late_fee_percent, no_show_fee_percent, weekly, ...rest } = draft;
  const body = {
    ...rest,
    maker: draft.maker.trim() || null,
    model: draft.model.trim() || null,
    nfec_number: draft.nfec_number.trim() || null,
    zeus_number: draft.zeus_number.trim() || null,
    training_note: draft.training_note.trim() || null,
    cancellation: { free_until_hours, late_fee_percent, no_show_fee_percent },
    calendar: { weekly, exceptions: before?.calendar.exceptions ?? [] },
  };
  // An empty number goes as it is: the server says which one is missing.
  return body as Sent;
}

const of = (id: string) => ({ path: { listing_id: id } });

export function managed(id: string) {
  return answer(api.GET('/api/v1/exchange/managed-listings/{listing_id}', { params: of(id) }));
}

export function add(body: Sent): Promise<Listing> {
  return ok(api.POST('/api/v1/exchange/listings', { body }));
}

export function change(id: string, body: Sent, etag: string) {
  const headers = ifMatch(etag);
  return ok(api.PUT('/api/v1/exchange/listings/{listing_id}', { params: of(id), headers, body }));
}

export function publish(id: string): Promise<Listing> {
  return ok(api.POST('/api/v1/exchange/listings/{listing_id}/publish', { params: of(id) }));
}

export function withdraw(id: string): Promise<Listing> {
  return ok(api.POST('/api/v1/exchange/listings/{listing_id}/withdraw', { params: of(id) }));
}
