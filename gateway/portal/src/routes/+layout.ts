import { session } from '#lib/session/session.svelte.ts';

export const ssr = false;
export const prerender = false;

/** Who is logged in is known before any page asks for anything. */
export async function load(): Promise<void> {
  await session.start();
}
