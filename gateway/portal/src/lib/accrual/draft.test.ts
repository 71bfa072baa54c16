import { beforeEach, expect, it, vi } from 'vitest';
import { ProblemError } from '../api/problem.ts';

const server = vi.hoisted(() => ({
  rows: [] as { number: number; cells: Record<string, string> }[],
  version: 1,
  sent: [] as { version: string; set: unknown }[],
  wait: Promise.resolve() as Promise<unknown>,
}));

vi.mock('../api/client.ts', () => ({
  ok: async (call: Promise<{ data: unknown }>) => (await call).data,
  answer: async (call: Promise<{ data: unknown }>) => ({
    data: (await call).data,
    etag: `"${server.version}"`,
  }),
  ifMatch: (version: number) => ({ 'If-Match': `"${version}"` }),
  api: {
    GET: async (path: string) => ({
      data: path.endsWith('/rows')
        ? { items: server.rows, next_cursor: null, masked: false }
        : { editable: true },
    }),
    POST: async () => ({ data: { findings: [] } }),
    PATCH: async (_: string, { headers, body }: { headers: object; body: { set: [] } }) => {
      const version = (headers as { 'If-Match': string })['If-Match'];
      server.sent.push({ version, set: body.set });
      await server.wait;
      if (version !== `"${server.version}"`) {
        throw new ProblemError({ status: 412 } as ProblemError['problem']);
      }
      server.rows = body.set;
      server.version += 1;
      return { data: { version: server.version, findings: [] } };
    },
  },
}));

const { Draft } = await import('./draft.svelte.ts');

beforeEach(() =>
  Object.assign(server, { rows: [], version: 1, sent: [], wait: Promise.resolve() }),
);

async function opened() {
  const draft = new Draft('1', ['a', 'b']);
  await draft.load();
  return draft;
}

it('is saved once by several who wait for the same save', async () => {
  const draft = await opened();
  let arrive: (value: unknown) => void = () => undefined;
  server.wait = new Promise((resolve) => (arrive = resolve));
  draft.changed([['1', '']]);
  const first = draft.flush();
  draft.changed([['1', '2']]);
  const both = [draft.flush(), draft.flush()];
  arrive(undefined);
  await Promise.all([first, ...both]);
  expect(server.sent.map(({ version }) => version)).toEqual(['"1"', '"2"']);
  expect(draft.state).toBe('saved');
});

it('keeps what was typed while a conflict was being looked at', async () => {
  const draft = await opened();
  server.version = 2;
  server.rows = [{ number: 1, cells: { b: 'theirs' } }];
  draft.changed([['mine', '']]);
  await draft.flush();
  expect(draft.state).toBe('conflict');
  draft.changed([['mine, longer', '']]);
  await draft.keepMine();
  expect(draft.state).toBe('saved');
  expect(server.rows).toEqual([{ number: 1, cells: { a: 'mine, longer', b: 'theirs' } }]);
});
