/**
 * The languages of the portal: Korean is the source, English the second.
 *
 * An area's texts are `ko/<area>.ts` and `en/<area>.ts`, made into a function in `<area>.ts`:
 * `t('count', { count: 3 })`. `{name}` is a value, `{name:을/를}` a value with its particle.
 */
import { withJosa } from './josa.ts';

export type Language = 'ko' | 'en';

const KEPT = 'language';

class LanguageChoice {
  current = $state<Language>(kept());

  choose(language: Language): void {
    this.current = language;
    localStorage.setItem(KEPT, language);
    document.documentElement.lang = language;
  }
}

function kept(): Language {
  return typeof localStorage !== 'undefined' && localStorage.getItem(KEPT) === 'en' ? 'en' : 'ko';
}

export const language = new LanguageChoice();

/** The type of an English file: exactly the keys of the Korean one. */
export type Messages<Ko> = Record<keyof Ko, string>;

type Name<S extends string> = S extends `${infer N}:${string}` ? N : S;
type Names<S extends string> = S extends `${string}{${infer Inside}}${infer Rest}`
  ? Name<Inside> | Names<Rest>
  : never;
type Values<S extends string> = [Names<S>] extends [never]
  ? []
  : [values: Record<Names<S>, string | number>];

export interface Texts<Ko extends Record<string, string>> {
  <K extends keyof Ko & string>(key: K, ...values: Values<Ko[K]>): string;
  /** The text called `prefix` + `value`, or the value itself where the server knows a newer one. */
  of(prefix: string, value: string): string;
}

export function texts<const Ko extends Record<string, string>>(
  ko: Ko,
  en: Messages<Ko>,
): Texts<Ko> {
  const find = (key: string): string | undefined => (language.current === 'en' ? en : ko)[key];
  const t = (key: string, values?: Record<string, string | number>): string =>
    filled(find(key) ?? key, values);
  return Object.assign(t, { of: (prefix: string, value: string) => find(prefix + value) ?? value });
}

/** A template with its values. */
export function filled(template: string, values: Record<string, string | number> = {}): string {
  return template.replace(/\{(\w+)(?::([^}]+))?\}/g, (whole, name: string, particle?: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    const text = typeof value === 'number' ? value.toLocaleString('ko-KR') : value;
    return particle === undefined ? text : withJosa(text, particle);
  });
}
