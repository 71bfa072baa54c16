/**
 * How a cell reads while nobody edits it. Pure.
 *
 * Only what is certain gets separators: plain digits of the right length. Everything else is shown
 * as it was typed or pasted, so that people see what the server objects to.
 */

import type { ColumnType } from './types';

const DIGITS = /^[0-9]{1,15}$/;
const DAY = /^([0-9]{4})([0-9]{2})([0-9]{2})$/;
const BRN = /^([0-9]{3})([0-9]{2})([0-9]{5})$/;

export function shown(value: string, type: ColumnType): string {
  switch (type) {
    case 'won':
      return DIGITS.test(value) ? value.replace(/\B(?=(?:[0-9]{3})+$)/g, ',') : oneLine(value);
    case 'date':
      return oneLine(value.replace(DAY, '$1-$2-$3'));
    case 'brn':
      return oneLine(value.replace(BRN, '$1-$2-$3'));
    default:
      return oneLine(value);
  }
}

/** An input has one line; a line break inside of a cell reads as a space there. */
export function oneLine(value: string): string {
  return value.replace(/[\r\n]+/g, ' ');
}

/** Characters a column is wide where its description does not say. */
export const WIDTHS: Record<ColumnType, number> = {
  text: 16,
  number: 9,
  won: 15,
  date: 13,
  brn: 15,
  choice: 14,
};

/** What the on-screen keyboard should offer first. */
export const INPUT_MODES: Record<ColumnType, 'text' | 'numeric'> = {
  text: 'text',
  number: 'numeric',
  won: 'numeric',
  date: 'numeric',
  brn: 'numeric',
  choice: 'text',
};
