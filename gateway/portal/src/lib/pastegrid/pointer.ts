/** Mouse, pen and finger: where a press, a drag or a tap leads. */

import type { View } from './view';
import type { Place } from './types';

export interface Pointing {
  /** A place was pressed; a row's number has column -1. False where it is the input's own affair. */
  press(place: Place, extend: boolean): boolean;
  drag(place: Place): void;
  open(place: Place): void;
}

const EDGE = 24; // pixels from an edge at which a drag scrolls
const SCROLL = 20; // pixels it scrolls at a time

/**
 * A mouse selects as it is dragged. A finger scrolls; it taps a cell to go there, and drags the
 * handle at the selection's end to widen it.
 */
export function listen(view: View, pointing: Pointing): void {
  const { scroller } = view;
  let dragging = false;

  const isTouch = (event: PointerEvent) => event.pointerType === 'touch';

  scroller.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    if (view.isHandle(event.target)) {
      dragging = true;
      event.preventDefault();
      return;
    }
    if (isTouch(event)) return;
    const place = view.placeOf(event.target);
    if (place) dragging = pointing.press(place, event.shiftKey);
  });
  // The default of the mouse would take the focus from the input.
  scroller.addEventListener('mousedown', (event) => {
    if (dragging || (view.placeOf(event.target) && event.target !== view.input)) {
      event.preventDefault();
    }
  });
  scroller.addEventListener('click', (event) => {
    if (!isTouch(event as PointerEvent) || view.isHandle(event.target)) return;
    const place = view.placeOf(event.target);
    if (!place) return;
    if (event.target === view.input) pointing.open(place);
    else pointing.press(place, false);
  });
  scroller.addEventListener('dblclick', (event) => {
    const place = view.placeOf(event.target);
    if (place && place.col >= 0) pointing.open(place);
  });

  const owner = scroller.ownerDocument;
  scroller.addEventListener('pointermove', (event) => {
    if (!dragging) return;
    if (event.buttons === 0 && !isTouch(event)) {
      dragging = false;
      return;
    }
    scrollAtEdge(scroller, event);
    const under = owner.elementFromPoint?.(event.clientX, event.clientY) ?? event.target;
    const place = view.placeOf(under);
    if (place) pointing.drag(place);
  });
  for (const type of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) {
    scroller.addEventListener(type, () => (dragging = false));
  }
}

function scrollAtEdge(scroller: HTMLElement, { clientX, clientY }: PointerEvent): void {
  const box = scroller.getBoundingClientRect();
  if (clientY > box.bottom - EDGE) scroller.scrollTop += SCROLL;
  else if (clientY < box.top + 2 * EDGE) scroller.scrollTop -= SCROLL;
  if (clientX > box.right - EDGE) scroller.scrollLeft += SCROLL;
  else if (clientX < box.left + 2 * EDGE) scroller.scrollLeft -= SCROLL;
}
