/**
 * The clipboard dialect of spreadsheets.
 *
 * Cells are parted by tabs, rows by CRLF, LF or CR. A cell with a line break, a tab or a quote in it
 * stands in quotes with its own quotes doubled; the last row may end with a line break. Text is
 * composed (NFC). Nothing else is changed: digits of any width arrive as they were copied, since it
 * is the server that says what they should be.
 */

import type { Row } from './types';

const NEEDS_QUOTES = /["\t\r\n]/;
const HTML: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** The cells of copied text; blank rows at its end are left out. */
export function parse(text: string): string[][] {
  const source = text.replace(/^\uFEFF/, '').replaceAll('\0', '');
  const rows: string[][] = [];
  let row: string[] = [];
  let at = 0;
  while (at <= source.length) {
    const { value, end } = cellAt(source, at);
    row.push(value.normalize('NFC'));
    at = end + 1;
    if (source[end] === '\t') continue;
    rows.push(row);
    row = [];
    if (source[end] === '\r' && source[at] === '\n') at += 1;
  }
  while (rows.length && rows[rows.length - 1]?.every((cell) => cell.trim() === '')) rows.pop();
  return rows;
}

/** The cell that starts at `at`, and where the tab or line break after it stands. */
function cellAt(source: string, at: number): { value: string; end: number } {
  if (source[at] === '"') {
    const quoted = quotedAt(source, at);
    if (quoted) return quoted;
  }
  let end = at;
  while (end < source.length && !isBreak(source[end])) end += 1;
  return { value: source.slice(at, end), end };
}

/** A cell in quotes; null where they never close, or close before the cell ends (`"5" pipe`). */
function quotedAt(source: string, at: number): { value: string; end: number } | null {
  let close = source.indexOf('"', at + 1);
  while (close >= 0 && source[close + 1] === '"') close = source.indexOf('"', close + 2);
  if (close < 0 || (close + 1 < source.length && !isBreak(source[close + 1]))) return null;
  const inside = source.slice(at + 1, close).replaceAll('""', '"');
  return { value: inside.replace(/\r\n?/g, '\n'), end: close + 1 };
}

function isBreak(character: string | undefined): boolean {
  return character === '\t' || character === '\n' || character === '\r';
}

/** Cells as text that spreadsheets read back to the same cells. */
export function format(rows: readonly Row[]): string {
  return rows.map((row) => row.map(quoted).join('\t')).join('\r\n');
}

function quoted(cell: string): string {
  return NEEDS_QUOTES.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/**
 * Cells as a table for the clipboard, marked as text.
 *
 * From plain text a spreadsheet makes dates of contract numbers ("2024-05") and drops leading zeros.
 */
export function formatHtml(rows: readonly Row[]): string {
  const lines = rows.map((row) => `<tr>${row.map(htmlCell).join('')}</tr>`);
  return `<meta charset="utf-8"><table>${lines.join('')}</table>`;
}

function htmlCell(cell: string): string {
  const text = cell.replace(/[&<>"]/g, (character) => HTML[character] ?? character);
  return `<td style="mso-number-format:'\\@'">${text.replaceAll('\n', '<br>')}</td>`;
}
