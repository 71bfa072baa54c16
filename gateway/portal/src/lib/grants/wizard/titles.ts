/** The wizard's own words for a form's pages, in the language chosen. */
import { t } from '#lib/text/grants.ts';
import { language } from '#lib/text/text.svelte.ts';
import type { Titles } from '../form/steps.ts';

/** The schema's titles are Korean, as printed; in English we say it ourselves where we can. */
export const titles: Titles = {
  step: (code) => t(`step_${code}`),
  option: (key, code) => t.of(`option_${key}_`, code),
  title: (key, printed) => (language.current === 'ko' && printed ? printed : t.of('field_', key)),
  copies: (count) => t('document_copies', { count }),
  usual: (length, unit) => t(unit === 'words' ? 'usual_words' : 'usual_characters', { length }),
  atLeast: (count) => t('at_least', { count }),
  get printed() {
    return t('form_printed');
  },
};
