/** Which addresses have a page: nobody is sent to one that does not exist. */
const PAGES = new Set(
  Object.keys(import.meta.glob('/src/routes/**/+page.svelte')).map(
    (file) => file.slice('/src/routes'.length, -'/+page.svelte'.length) || '/',
  ),
);

export function hasPage(href: string): boolean {
  return PAGES.has(href.split('?')[0] ?? '');
}
