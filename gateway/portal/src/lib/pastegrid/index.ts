export { definePasteGrid, PasteGrid, type PasteGridEvents } from './element';
export { EN, KO, type GridMessages } from './messages';
export type { GridColumn, GridFinding, GridNote, PasteResult, Row } from './types';
