/** The grid's own words, in both languages. */

import type { PasteResult } from './types';

export interface GridMessages {
  label: string;
  help: string;
  rowHeader: string;
  required: string;
  cell: (row: number, column: string, required: boolean) => string;
  counts: (rows: number, errors: number, warnings: number) => string;
  error: string;
  warning: string;
  note: string;
  suggestion: (value: string) => string;
  undo: string;
  redo: string;
  insertRow: string;
  deleteRow: string;
  onlyErrors: string;
  previousError: string;
  nextError: string;
  acceptAll: (count: number) => string;
  accept: string;
  extend: string;
  keys: string;
  keyList: readonly (readonly [string, string])[];
  pasted: (result: PasteResult) => string;
  undone: string;
  redone: string;
  nothingToUndo: string;
  accepted: (count: number) => string;
  cleared: string;
  noErrors: string;
  leave: string;
  readOnly: string;
}

export const KO: GridMessages = {
  label: '명단',
  help: '엑셀에서 복사해 붙여넣을 수 있습니다. 표에서 나가려면 Esc를 누른 뒤 Tab을 누르세요.',
  rowHeader: '행',
  required: '필수',
  cell: (row, column, required) => `${row}행 ${column}${required ? ' (필수)' : ''}`,
  counts: (rows, errors, warnings) =>
    `전체 ${number(rows)}행 · 오류 ${number(errors)}칸` +
    (warnings ? ` · 확인 ${number(warnings)}칸` : ''),
  error: '오류',
  warning: '확인',
  note: '보완요청',
  suggestion: (value) => `제안: ${value}`,
  undo: '실행 취소',
  redo: '다시 실행',
  insertRow: '행 삽입',
  deleteRow: '행 삭제',
  onlyErrors: '오류만 보기',
  previousError: '이전 오류',
  nextError: '다음 오류',
  acceptAll: (count) => `제안 ${number(count)}건 모두 적용`,
  accept: '제안 적용 (F9)',
  extend: '선택 범위 넓히기',
  keys: '단축키',
  keyList: [
    ['F2', '칸 고치기'],
    ['Esc', '고치기 취소'],
    ['Enter · Tab', '다음 칸 (Shift와 함께 이전 칸)'],
    ['Ctrl+방향키', '채워진 끝으로'],
    ['Shift+방향키', '범위 선택'],
    ['Ctrl+C · X · V', '복사 · 잘라내기 · 붙여넣기'],
    ['Ctrl+D', '위 칸으로 아래 채우기'],
    ['Ctrl+Z · Y', '실행 취소 · 다시 실행'],
    ['F8', '다음 오류 (Shift+F8 이전)'],
    ['F9', '제안 적용'],
    ['Alt+↓', '목록 열기'],
    ['Esc, Tab', '표 밖으로 나가기'],
  ],
  pasted: ({ rows, columns, left, header, cut }) =>
    `${number(rows)}행 ${columns}열을 붙여넣었습니다.` +
    (header ? ' 제목 행에 맞추어 열을 넣었습니다.' : '') +
    (left.length ? ` 넣지 않은 열: ${left.join(', ')}.` : '') +
    (cut ? ` ${number(cut)}행은 한도를 넘어 넣지 않았습니다.` : ''),
  undone: '되돌렸습니다.',
  redone: '다시 실행했습니다.',
  nothingToUndo: '더 되돌릴 것이 없습니다.',
  accepted: (count) => `제안 ${number(count)}건을 적용했습니다.`,
  cleared: '지웠습니다.',
  noErrors: '오류가 없습니다.',
  leave: 'Tab을 누르면 표 밖으로 나갑니다.',
  readOnly: '읽기 전용입니다.',
};

export const EN: GridMessages = {
  label: 'Rows',
  help: 'You can paste cells copied from a spreadsheet. To leave the grid press Esc, then Tab.',
  rowHeader: 'Row',
  required: 'required',
  cell: (row, column, required) => `Row ${row}, ${column}${required ? ' (required)' : ''}`,
  counts: (rows, errors, warnings) =>
    `${number(rows)} rows · ${number(errors)} cells with errors` +
    (warnings ? ` · ${number(warnings)} to check` : ''),
  error: 'Error',
  warning: 'Check',
  note: 'Requested',
  suggestion: (value) => `Suggestion: ${value}`,
  undo: 'Undo',
  redo: 'Redo',
  insertRow: 'Insert row',
  deleteRow: 'Delete row',
  onlyErrors: 'Errors only',
  previousError: 'Previous error',
  nextError: 'Next error',
  acceptAll: (count) => `Accept all ${number(count)} suggestions`,
  accept: 'Accept (F9)',
  extend: 'Extend the selection',
  keys: 'Keyboard',
  keyList: [
    ['F2', 'edit the cell'],
    ['Esc', 'undo the editing'],
    ['Enter · Tab', 'next cell (with Shift the one before)'],
    ['Ctrl+arrow', 'to the end of what is filled'],
    ['Shift+arrow', 'select a block'],
    ['Ctrl+C · X · V', 'copy · cut · paste'],
    ['Ctrl+D', 'fill down'],
    ['Ctrl+Z · Y', 'undo · redo'],
    ['F8', 'next error (with Shift the one before)'],
    ['F9', 'accept the suggestion'],
    ['Alt+↓', 'open the list'],
    ['Esc, Tab', 'leave the grid'],
  ],
  pasted: ({ rows, columns, left, header, cut }) =>
    `Pasted ${number(rows)} rows, ${columns} columns.` +
    (header ? ' Columns were matched by the header row.' : '') +
    (left.length ? ` Columns left out: ${left.join(', ')}.` : '') +
    (cut ? ` ${number(cut)} rows beyond the limit were left out.` : ''),
  undone: 'Undone.',
  redone: 'Done again.',
  nothingToUndo: 'Nothing to undo.',
  accepted: (count) => `Accepted ${number(count)} suggestions.`,
  cleared: 'Cleared.',
  noErrors: 'There are no errors.',
  leave: 'Tab leaves the grid now.',
  readOnly: 'Read only.',
};

function number(value: number): string {
  return value.toLocaleString('ko-KR');
}
