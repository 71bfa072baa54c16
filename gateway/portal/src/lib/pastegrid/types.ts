/** What the grid takes and tells. Rows are counted from 1 where people and servers see them. */

export type ColumnType = 'text' | 'number' | 'won' | 'date' | 'brn' | 'choice';

export interface GridColumn {
  key: string;
  label: string;
  type: ColumnType;
  required?: boolean;
  readOnly?: boolean;
  /** In characters; the type decides where it is left out. */
  width?: number;
  /** A sentence on what to enter, told while the cell is active. */
  hint?: string;
  /** The words a choice offers; others may be typed, and the server judges them. */
  choices?: readonly string[];
  /** Other headers this column goes by, for what is pasted with its header row. */
  aliases?: readonly string[];
}

/** One finding of the server. `row` is null where it concerns the whole sheet. */
export interface GridFinding {
  row: number | null;
  field: string | null;
  code: string;
  level: 'error' | 'warning';
  message: string;
  suggestion?: string | null;
}

/** What a reviewer wrote at a cell, or at a row where `field` is null. */
export interface GridNote {
  row: number;
  field: string | null;
  text: string;
}

/** Cells of one row in the order of the columns. Never changed in place, only replaced. */
export type Row = readonly string[];

/** A place in the grid as it is shown: both counted from 0. */
export interface Place {
  row: number;
  col: number;
}

/** A block of cells, its last row and column included. */
export interface Block {
  top: number;
  left: number;
  bottom: number;
  right: number;
}

export type ChangeReason =
  'edit' | 'paste' | 'cut' | 'clear' | 'fill' | 'rows' | 'suggestion' | 'undo' | 'redo';

export interface PasteResult {
  rows: number;
  columns: number;
  /** Columns of the clipboard that found no place, by their header or number. */
  left: readonly string[];
  /** Whether the first line was taken for a header, and the columns ordered by it. */
  header: boolean;
  /** Rows beyond the most the grid holds. */
  cut: number;
}
