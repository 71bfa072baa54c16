/** A small call for tests: not one that exists, so that nothing of a real one is taken for granted. */
import type { RuleSet } from './rules.ts';
import type { Schema } from './form/schema.ts';
import type { Titles } from './form/steps.ts';

const text = (ko: string) => ({ ko, en: `${ko} (en)` });
const cited = { citation: 'X:1' };

export const RULES: RuleSet = {
  code: 'harbour',
  spending: { evidence_kinds: [], recovery: { grounds: [] } },
  version: 1,
  name: text('항만 물류'),
  call: {
    fields: [],
    awards: 2,
    programme: { start: '2031-01-01', end: '2033-12-31' },
    years: [{ start: '2031-01-01', end: '2031-12-31' }],
    eligibility: {
      graduate_schools_at_least: 1,
      companies_at_least: 1,
      companies_usual_from: 1,
      companies_usual_to: 3,
    },
    documents: [{ code: 'plan', name: text('계획서'), copies: 2, ...cited }],
    duties: [{ code: 'theses', name: text('논문'), at_least: 3, ...cited }],
    text_lengths: [
      { code: 'goals', name: text('목표'), usual: 500, unit: 'characters' },
      { code: 'words_ko', name: text('키워드'), usual: 5, unit: 'words' },
    ],
  },
  budget: {
    unit_won: 1000,
    items: [
      {
        code: 'people',
        name: text('인건비'),
        children: [
          {
            code: 'crew',
            name: text('참여인력'),
            funds: ['in_kind', 'grant'],
            kinds: [{ code: 'salary', name: text('급여'), pay: 'actual' }],
          },
        ],
      },
      {
        code: 'overhead',
        name: text('간접비'),
        funds: ['grant', 'cash'],
        kinds: [
          { code: 'common', name: text('공통') },
          { code: 'safety', name: text('안전') },
        ],
      },
    ],
    funding: {
      rule: 'H-1',
      name: text('지원금'),
      grant_percent: 70,
      limit_rule: 'H-2',
      grant_limit_won: 1_000_000,
      limit_citation: 'X:2',
      ...cited,
    },
    share_caps: [
      {
        rule: 'H-7',
        name: text('간접비'),
        part: { items: ['overhead'] },
        percent: 7,
        base: ['grant', 'cash'],
        base_name: text('현금'),
        ...cited,
      },
      {
        rule: 'H-7',
        name: text('안전관리비'),
        part: { kinds: ['safety'] },
        percent: '1.5',
        base: ['grant'],
        base_name: text('지원금'),
        ...cited,
      },
    ],
    head_caps: [],
    asset_caps: [],
    pay: { grades: [], posts: {}, courses: {}, participation: { at_most: 100, decimals: 1 } },
  },
  evaluation: { grades: [], sections: [], tie_break: [] },
  form: {
    sections: [
      {
        code: 'cover',
        name: text('표지'),
        parts: [
          {
            code: 'lead',
            name: text('주관기관'),
            kind: 'record',
            columns: [
              { code: 'name', name: text('기관명'), required: true },
              { code: 'founded', name: text('설립'), type: 'year' },
            ],
          },
          { code: 'before', name: text('전년도 실적'), kind: 'text', only: 'continuing' },
        ],
      },
      {
        code: 'cost',
        name: text('사업비'),
        parts: [
          {
            code: 'years',
            name: text('연차별 사업비'),
            kind: 'table',
            rows: [
              { code: '1', name: text('1차') },
              { code: '2', name: text('2차') },
            ],
            columns: [
              { code: 'grant_won', name: text('지원금'), type: 'won' },
              { code: 'total_won', name: text('계'), type: 'won', total_of: ['grant_won'] },
            ],
          },
          {
            code: 'works',
            name: text('실적'),
            kind: 'table',
            columns: [{ code: 'what', name: text('내용'), type: 'long' }],
          },
        ],
      },
      {
        code: 'enclosures',
        name: text('첨부'),
        parts: [{ code: 'list', name: text('목록'), kind: 'view', view: 'documents' }],
      },
    ],
  },
};

export const SCHEMA: Schema = {
  properties: {
    applicant: {
      title: '신청기관',
      anyOf: [
        {
          type: 'object',
          required: ['schools'],
          properties: {
            schools: {
              title: '대학원',
              type: 'array',
              items: {
                type: 'object',
                required: ['university'],
                properties: {
                  university: { type: 'string', title: '대학교' },
                  lead: { type: 'boolean', title: '주관' },
                },
              },
            },
            companies: { title: '기업 수', anyOf: [{ type: 'integer' }, { type: 'null' }] },
            companies_reason: { title: '사유', type: 'string' },
          },
        },
        { type: 'null' },
      ],
    },
    pledge: {
      title: '협약서',
      anyOf: [
        {
          type: 'object',
          required: ['cash_won'],
          properties: {
            cash_won: { title: '현금', type: 'integer' },
            paid_on: {
              title: '지급일',
              anyOf: [{ type: 'string', format: 'date' }, { type: 'null' }],
            },
          },
        },
        { type: 'null' },
      ],
    },
  },
};

export const TITLES: Titles = {
  step: (code) => code,
  option: (key, code) => `${key}.${code}`,
  title: (_key, printed) => printed,
  copies: (count) => `${count}부`,
  usual: (length, unit) => `${length} ${unit}`,
  atLeast: (count) => `${count} 이상`,
  printed: '자동',
};
