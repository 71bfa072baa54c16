/** Where to go after logging in: an address of ours and nobody else's. */
export function nextOf(params: { get(name: string): string | null }): string {
  const next = params.get('next') ?? '/';
  // `//host` and `/\host` lead elsewhere.
  return /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : '/';
}
