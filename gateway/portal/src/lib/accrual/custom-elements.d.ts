import type { PasteGridEvents } from '../pastegrid';
import type { HTMLAttributes } from 'svelte/elements';

declare module 'svelte/elements' {
  interface SvelteHTMLElements {
    'paste-grid': HTMLAttributes<HTMLElement> & {
      onrowschange?: (event: CustomEvent<PasteGridEvents['rowschange']>) => void;
    };
  }
}
