/** Short messages that something went well. Problems stay on the page instead. */
import { session } from '../session/session.svelte.ts';

const SHOWN_MS = 6_000;

class Toasts {
  items = $state<{ id: number; text: string }[]>([]);
  #next = 0;

  tell(text: string): void {
    const id = this.#next++;
    this.items.push({ id, text });
    setTimeout(() => this.dismiss(id), SHOWN_MS);
  }

  dismiss(id: number): void {
    this.items = this.items.filter((item) => item.id !== id);
  }

  clear(): void {
    this.items = [];
  }
}

export const toasts = new Toasts();

session.onLeave(() => toasts.clear());
