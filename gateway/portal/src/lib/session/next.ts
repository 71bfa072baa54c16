/** Where to go after logging in: an address of ours and nobody else's. */
export function nextOf(params: { get(name: string): string | null }): string {
  // `//host` and `/\host` lead elsewhere, and browsers read over tabs and line breaks in between.
  const next = (params.get('next') ?? '/').replace(/[\t\r\n]/g, '');
  return /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : '/';
}
