/** The words and numbers of what goes back to the agency. */
import type { Language } from '#lib/text/text.svelte.ts';
import { said, type RuleSet } from '../rules.ts';

/** `1. 사용을 증빙하지 못하는 금액`, by the ground's number. */
export const groundNames = (rules: RuleSet | undefined, lang: Language): Map<string, string> =>
  new Map(
    (rules?.spending.recovery.grounds ?? []).map((ground) => [
      String(ground.number),
      `${ground.number}. ${said(ground.name, lang)}`,
    ]),
  );

/** The whole won of an exact amount: `1234560/13` is 94,966 and a part that nobody can pay. */
export function wholeWon(exact: string): number {
  const [above = '0', below = '1'] = exact.split('/');
  return Number(BigInt(above) / BigInt(below));
}
