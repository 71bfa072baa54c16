// @vitest-environment node
import { describe, expect, it } from 'vitest';

import { format, formatHtml, parse } from './tsv';

describe('what spreadsheets put on the clipboard', () => {
  it.each([
    [
      'rows end with CRLF, and so does the last one',
      'a\tb\r\nc\td\r\n',
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    ],
    ['a lone LF or CR parts rows as well', 'a\nb\rc', [['a'], ['b'], ['c']]],
    [
      'a line break inside of quotes stays in its cell',
      '"a\r\nb"\tc\r\nd\te',
      [
        ['a\nb', 'c'],
        ['d', 'e'],
      ],
    ],
    ['a tab inside of quotes too', '"a\tb"\tc', [['a\tb', 'c']]],
    ['doubled quotes are one', '"그는 ""예""라고\n했다"\tx', [['그는 "예"라고\n했다', 'x']]],
    ['a cell of quotes alone', '""""\t""', [['"', '']]],
    [
      'a quote that closes nothing is a character',
      '5" 관\t"6" 관"\tc',
      [['5" 관', '"6" 관"', 'c']],
    ],
    [
      'a quote that never closes keeps its row together',
      '"abc\tdef\r\nghi',
      [['"abc', 'def'], ['ghi']],
    ],
    ['blank rows at the end are left out', 'a\tb\r\n\t\r\n \t\r\n', [['a', 'b']]],
    ['blank rows between stay', 'a\r\n\r\nb', [['a'], [''], ['b']]],
    ['decomposed Hangul is composed', '한글'.normalize('NFD'), [['한글']]],
    ['full-width digits stay as they are', '１２３', [['１２３']]],
    ['a byte order mark is no text', '\uFEFFa', [['a']]],
    ['rows may differ in length', 'a\tb\tc\nd', [['a', 'b', 'c'], ['d']]],
    ['nothing is no rows', '', []],
  ])('%s', (_, text, cells) => {
    expect(parse(text)).toEqual(cells);
  });

  it('takes back what it gave', () => {
    const cells = [
      ['a\tb', 'c"d', '"'],
      ['두 줄\n셋째', '', ' x '],
      ['1048203590', '2024-05', '㈜뚝섬'],
    ];
    expect(parse(format(cells))).toEqual(cells);
  });

  it('marks cells as text, and escapes them', () => {
    const html = formatHtml([['<b>&"', '2024-05\n둘']]);
    expect(html).toContain('&lt;b&gt;&amp;&quot;');
    expect(html).toContain(`<td style="mso-number-format:'\\@'">2024-05<br>둘</td>`);
  });

  it('reads five thousand rows in no time', () => {
    const text = Array.from({ length: 5_000 }, (_, row) => `${row}\t"둘\n째"\t셋`).join('\r\n');
    expect(parse(text)).toHaveLength(5_000);
  });
});
