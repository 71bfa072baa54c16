/**
 * Single-key shortcuts, which a reviewer may switch off (KWCAG 2.1.4: somebody who dictates would
 * trigger them). They are silent while anything is typed or a dialog is open.
 */
const KEPT = 'review-keys';

class Shortcuts {
  on = $state(typeof localStorage === 'undefined' || localStorage.getItem(KEPT) !== 'off');

  choose(on: boolean): void {
    this.on = on;
    localStorage.setItem(KEPT, on ? 'on' : 'off');
  }
}

export const shortcuts = new Shortcuts();

/** `<svelte:window onkeydown={onKey({ j: next, k: previous })} />` */
export function onKey(actions: Readonly<Record<string, () => void>>) {
  return (event: KeyboardEvent): void => {
    if (event.isComposing || event.keyCode === 229) return;
    if (!shortcuts.on || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector('dialog[open]') !== null || isTyping(event.target)) return;
    const action = actions[event.key.toLowerCase()];
    if (action === undefined) return;
    event.preventDefault();
    action();
  };
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    target.closest('input, select, textarea, [contenteditable], paste-grid') !== null
  );
}
