import { expect, test } from 'vitest';
import { ProblemError, problemOf, UNREADABLE } from './problem.ts';

const body = {
  type: '/docs/errors#VALIDATION_FAILED',
  title: '입력한 내용을 확인하세요.',
  detail: '입력한 내용을 확인하세요.',
  status: 422,
  code: 'VALIDATION_FAILED',
  instance: '/api/v1/auth/password',
  trace_id: '4bf92f',
  errors: [
    { pointer: '/new_password', code: 'PW_LENGTH', message: '10자 이상', level: 'error' },
    { pointer: '/new_password', code: 'PW_CLASS', message: '특수문자', level: 'error' },
    { pointer: '/name', code: 'LOOKS_ODD', message: '확인', level: 'warning' },
  ],
};

test('an answer is read as the problem it carries', async () => {
  const answer = new Response(JSON.stringify(body), {
    status: 422,
    headers: { 'Retry-After': '12' },
  });
  const problem = await problemOf(answer);
  expect(problem.code).toBe('VALIDATION_FAILED');
  expect(problem.message).toBe('입력한 내용을 확인하세요.');
  expect(problem.at('/new_password').map((finding) => finding.code)).toEqual([
    'PW_LENGTH',
    'PW_CLASS',
  ]);
  expect(problem.warnings).toHaveLength(1);
  expect(problem.retryAfter).toBe(12);
  expect(problem.passing).toBe(false);
});

test('a page of somebody in between is a problem as well', async () => {
  const problem = await problemOf(new Response('<html>bad gateway</html>', { status: 502 }));
  expect(problem).toBeInstanceOf(ProblemError);
  expect(problem.code).toBe(UNREADABLE);
  expect(problem.status).toBe(502);
  expect(problem.passing).toBe(true);
});
