/** Korean particles after inserted words: 은/는, 이/가, 을/를, 과/와, 으로/로. */

const FIRST = 0xac00;
const LAST = 0xd7a3;
const FINALS = 28;
const RIEUL = 8;
/** How digits end when read aloud: 영 일 이 삼 사 오 육 칠 팔 구. */
const DIGIT_FINALS = [21, RIEUL, 0, 16, 0, 0, 1, RIEUL, RIEUL, 0];

/** `withJosa('한빛대학교', '을/를')` → `한빛대학교를`. The form after a consonant comes first. */
export function withJosa(word: string, particle: string): string {
  const [afterConsonant = '', afterVowel = ''] = particle.split('/');
  const final = finalOf(word);
  if (final === null) return `${word}${afterConsonant}(${afterVowel})`;
  // 서울로, 경기도로, 부산으로: after ㄹ it is 로 as well.
  const vowelLike = final === 0 || (final === RIEUL && afterConsonant === '으로');
  return word + (vowelLike ? afterVowel : afterConsonant);
}

/** The number of the last syllable's final consonant, 0 for none, null where nobody can tell. */
function finalOf(word: string): number | null {
  const last = word.replace(/[)\]』」'"’”]+$/u, '').at(-1);
  if (last === undefined) return null;
  const code = last.charCodeAt(0);
  if (code >= FIRST && code <= LAST) return (code - FIRST) % FINALS;
  return DIGIT_FINALS['0123456789'.indexOf(last)] ?? null;
}
