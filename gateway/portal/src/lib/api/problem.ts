/** What went wrong, as the server tells it (RFC 9457), or that it could not be reached. */
import type { components } from './schema.d.ts';

export type Problem = components['schemas']['ProblemOut'];
export type Finding = components['schemas']['FindingOut'];

/** Codes the portal makes itself, for answers no service gave. */
export const OFFLINE = 'OFFLINE';
export const SESSION_OVER = 'SESSION_OVER';
export const UNREADABLE = 'UNREADABLE';
export const NOT_ALLOWED = 'NOT_ALLOWED';
export const NOT_HERE = 'NOT_HERE';

export class ProblemError extends Error {
  /** Seconds the server asks to wait. */
  readonly retryAfter: number | null;

  constructor(
    readonly problem: Problem,
    retryAfter: number | null = null,
  ) {
    super(problem.detail);
    this.name = 'ProblemError';
    this.retryAfter = retryAfter;
  }

  /** 0 when no answer came. */
  get status(): number {
    return this.problem.status;
  }

  get code(): string {
    return this.problem.code;
  }

  get findings(): Finding[] {
    return this.problem.errors ?? [];
  }

  get errors(): Finding[] {
    return this.findings.filter((finding) => finding.level === 'error');
  }

  get warnings(): Finding[] {
    return this.findings.filter((finding) => finding.level === 'warning');
  }

  /** Findings of one place: `at('/new_password')`. */
  at(pointer: string): Finding[] {
    return this.findings.filter((finding) => finding.pointer === pointer);
  }

  /** Whether asking once more may help. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** A problem of our own, for what no server answered. */
export function own(code: string, status = 0): ProblemError {
  return new ProblemError({
    type: 'about:blank',
    title: code,
    detail: code,
    status,
    code,
    instance: '',
    trace_id: '',
  });
}

/** The problem an answer carries. Whatever else stands in between answers in other words. */
export async function problemOf(response: Response): Promise<ProblemError> {
  const after = Number(response.headers.get('Retry-After'));
  const retryAfter = Number.isFinite(after) && after > 0 ? after : null;
  try {
    const body: unknown = await response.json();
    if (isProblem(body)) return new ProblemError(body, retryAfter);
  } catch {
    // No JSON: told below.
  }
  return own(UNREADABLE, response.status);
}

function isProblem(body: unknown): body is Problem {
  return (
    typeof body === 'object' &&
    body !== null &&
    'code' in body &&
    typeof body.code === 'string' &&
    'status' in body
  );
}

/** Any failure as a problem: bugs stay bugs. */
export function asProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  throw error;
}
