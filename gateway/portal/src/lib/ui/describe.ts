/** What to tell of a problem: the server's words, or ours where no server answered. */
import * as problems from '../api/problem.ts';
import { t } from '../text/common.ts';

export function describe(problem: problems.ProblemError): string {
  switch (problem.code) {
    case problems.OFFLINE:
      return t('problem_offline');
    case problems.SESSION_OVER:
      return t('problem_session');
    case problems.NOT_ALLOWED:
      return t('problem_403');
    case problems.NOT_HERE:
      return t('problem_404');
    case problems.UNREADABLE:
      return problem.status >= 502 ? t('problem_unavailable') : t('problem_unknown');
    default:
      return problem.problem.detail;
  }
}
