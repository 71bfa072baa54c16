import { expect, test } from 'vitest';
import { withJosa } from './josa.ts';
import { filled } from './text.svelte.ts';

test.each([
  ['한빛대학교', '을/를', '한빛대학교를'],
  ['산학협력단', '을/를', '산학협력단을'],
  ['서울', '으로/로', '서울로'],
  ['부산', '으로/로', '부산으로'],
  ['26-000637', '을/를', '26-000637을'],
  ['2022', '은/는', '2022는'],
  ['㈜뚝섬(주)', '과/와', '㈜뚝섬(주)와'],
  ['Hanbit', '이/가', 'Hanbit이(가)'],
])('%s with %s is %s', (word, particle, whole) => {
  expect(withJosa(word, particle)).toBe(whole);
});

test('a template takes its values, with particles and separators', () => {
  expect(filled('{name:을/를} {count}건 처리했습니다.', { name: '신청', count: 1234 })).toBe(
    '신청을 1,234건 처리했습니다.',
  );
  expect(filled('{missing} 그대로')).toBe('{missing} 그대로');
});
