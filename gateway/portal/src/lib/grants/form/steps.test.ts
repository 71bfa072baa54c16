import { describe, expect, it } from 'vitest';
import { RULES, SCHEMA, TITLES } from '../testing.ts';
import { seedOf } from './schema.ts';
import { stepOf, stepsOf } from './steps.ts';

const steps = stepsOf(RULES, SCHEMA, TITLES, 'ko');
const blocks = (code: string) => steps.find((step) => step.code === code)?.blocks ?? [];

describe('the pages of a form', () => {
  it('are what the call asks, in its order; what is only printed asks nothing', () => {
    expect(steps.map((step) => step.code)).toEqual([
      'applicant',
      'summary_texts',
      'section-cover',
      'section-cost',
      'people',
      'budget',
      'pledge',
      'targets',
      'files',
    ]);
  });

  it('draw a typed part from its schema: fields, then a table for each list', () => {
    expect(blocks('applicant')).toEqual([
      {
        kind: 'record',
        pointer: '/applicant',
        title: '신청기관',
        fields: [
          { key: 'companies', title: '기업 수', type: 'integer', required: false, maxLength: 1000 },
          {
            key: 'companies_reason',
            title: '사유',
            type: 'long',
            required: false,
            maxLength: 1000,
          },
        ],
      },
      {
        kind: 'table',
        pointer: '/applicant/schools',
        title: '대학원',
        maxRows: 500,
        fresh: { university: '' },
        fields: [
          { key: 'university', title: '대학교', type: 'text', required: true, maxLength: 1000 },
          { key: 'lead', title: '주관', type: 'flag', required: false, maxLength: 1000 },
        ],
      },
    ]);
    const pledge = blocks('pledge')[0];
    expect(pledge?.kind === 'record' && pledge.fields.map((field) => field.type)).toEqual([
      'won',
      'day',
    ]);
  });

  it('leave out computed columns, and parts of the other kind of application', () => {
    const [years, works] = blocks('section-cost');
    expect(years).toMatchObject({
      kind: 'matrix',
      pointer: '/sections/years',
      rows: [
        { value: '1', title: '1차' },
        { value: '2', title: '2차' },
      ],
      fields: [{ key: 'grant_won', type: 'won' }],
    });
    expect(works).toMatchObject({ kind: 'table', fields: [{ type: 'long', maxLength: 10_000 }] });
    expect(blocks('section-cover')).toHaveLength(1);
    const continuing = stepsOf(RULES, SCHEMA, TITLES, 'en', 'continuing');
    expect(continuing.find((step) => step.code === 'section-cover')?.blocks[1]).toMatchObject({
      kind: 'text',
      title: '전년도 실적 (en)',
    });
  });

  it('ask for the call’s documents, duties and keywords', () => {
    expect(blocks('files')[0]).toMatchObject({
      pointer: '/copies',
      fields: [{ key: 'plan', hint: '2부' }],
    });
    expect(blocks('targets')[0]).toMatchObject({ fields: [{ key: 'theses', hint: '3 이상' }] });
    expect(blocks('summary_texts')[1]).toMatchObject({
      fields: [{ key: 'words_ko', type: 'words' }],
    });
  });
});

it('a typed part begins with the least that has its shape', () => {
  expect(seedOf(SCHEMA.properties!['applicant']!)).toEqual({ schools: [] });
  expect(seedOf(SCHEMA.properties!['pledge']!)).toEqual({ cash_won: 0 });
  expect(seedOf({ type: 'object', properties: {} })).toBeUndefined();
});

describe('a finding', () => {
  it.each([
    ['/sections/lead/name', 'section-cover'],
    ['/budget/people/p1', 'people'],
    ['/budget/caps/H-7', 'budget'],
    ['/copies/plan', 'files'],
    ['/texts/goals', 'summary_texts'],
  ])('at %s leads to %s', (pointer, code) => {
    expect(stepOf(steps, pointer)?.code).toBe(code);
  });

  it('of nowhere leads nowhere', () => {
    expect(stepOf(steps, '/title')).toBeUndefined();
  });
});
