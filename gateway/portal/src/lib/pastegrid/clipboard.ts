/** Copy, cut and paste. While a cell is open they are the input's own, except for several cells. */

import type { Driver } from './driver';
import { format, formatHtml, parse } from './tsv';
import type { PasteResult } from './types';

const SEVERAL = /[\t\r\n]/;

export function listen(driver: Driver, pasted: (result: PasteResult) => void): void {
  const { sheet, editor, view } = driver.host;
  const { input } = editor;

  const copy = (event: ClipboardEvent) => {
    if (editor.mode !== 'ready' || !event.clipboardData) return;
    const cells = sheet.copied();
    event.clipboardData.setData('text/plain', format(cells));
    event.clipboardData.setData('text/html', formatHtml(cells));
    event.preventDefault();
    if (event.type === 'cut') driver.act(() => sheet.clear('cut'));
  };
  input.addEventListener('copy', copy);
  input.addEventListener('cut', copy);

  input.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    if (editor.isComposing || text === '') return;
    if (editor.mode !== 'ready' && !SEVERAL.test(text)) return;
    event.preventDefault();
    driver.commit();
    const result = sheet.paste(parse(text));
    if (!result) return;
    view.reveal(sheet.selection.active);
    driver.host.refresh();
    editor.focus();
    pasted(result);
  });
}
