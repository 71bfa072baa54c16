/**
 * Where on the budget's table a finding belongs. The server names a cap by its rule; the cells are
 * those of the lines the rule is about, and the subtotal of the item it bounds.
 */
import type { Finding } from '../types.ts';
import { isWithin, pointerOf, steps } from '../pointer.ts';
import { takes, type BudgetRules, type Selector } from '../rules.ts';
import type { Budget, Line } from './model.ts';

export const AMOUNT = 'amount_won';

/** The place of a cell of a line. */
export const cell = (index: number, field: string): string =>
  pointerOf('budget', 'lines', index, ...field.split('/'));
export const subtotal = (item: string): string => pointerOf('budget', 'items', item);

/** Findings by cell, for everything the budget's table shows. */
export function byCell(
  findings: readonly Finding[],
  rules: BudgetRules,
  budget: Budget,
): Map<string, Finding[]> {
  const cells = new Map<string, Finding[]>();
  for (const finding of findings) {
    for (const place of new Set(placesOf(finding, rules, budget))) {
      cells.set(place, [...(cells.get(place) ?? []), finding]);
    }
  }
  return cells;
}

/** The first cell of a finding: where a link of the summary leads. */
export function placesOf(finding: Finding, rules: BudgetRules, budget: Budget): string[] {
  const { pointer } = finding;
  if (!isWithin(pointer, '/budget')) return [];
  const [, part, which, ...rest] = steps(pointer);
  if (part === 'caps') return capPlaces(finding, rules, budget.lines);
  if (part === 'people') return [personPlace(which, rest, budget)];
  if (part === 'lines' && which !== undefined && rest.length === 0) {
    return [cell(Number(which), amountCell(budget.lines[Number(which)]))];
  }
  return [pointer];
}

function capPlaces(finding: Finding, rules: BudgetRules, lines: readonly Line[]): string[] {
  const part = partOf(finding, rules);
  if (!part) return [finding.pointer];
  const within = lines.flatMap((line, index) =>
    takes(part, line) ? [cell(index, amountCell(line))] : [],
  );
  return [...within, ...(part.items ?? []).map(subtotal)];
}

/** What a cap is about. Several caps may stand under one rule, told apart by their names. */
function partOf(finding: Finding, rules: BudgetRules): Selector | undefined {
  const caps = [...rules.share_caps, ...rules.head_caps, ...rules.asset_caps].filter(
    (cap) => cap.rule === finding.rule,
  );
  const named = caps.find((cap) => cap.name.ko === finding.params?.['name_ko']);
  return (named ?? caps[0])?.part;
}

/** Pay is figured from its parts: the last of them is what one changes to get another amount. */
const amountCell = (line: Line | undefined): string => (line?.pay ? 'pay/rate' : AMOUNT);

/** People are named by their reference where a rule speaks of them, by their place elsewhere. */
function personPlace(who: string | undefined, rest: readonly string[], budget: Budget): string {
  const people = budget.people ?? [];
  const byRef = people.findIndex((person) => person.ref === who);
  if (who === undefined) return '/budget/people';
  const index = byRef >= 0 ? byRef : Number(who);
  return pointerOf('budget', 'people', index, ...(rest.length ? rest : ['name']));
}
