/**
 * `npm run api`: src/lib/api/schema.d.ts from the services' merged OpenAPI document.
 *
 * Its first line carries the document's SHA-256: tests/contracts/test_portal.py compares it with
 * the document of today, so types that were not regenerated are noticed without Node.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTS, { astToString } from 'openapi-typescript';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const local = `${root}.venv/bin/python`;
const python = process.env.PYTHON ?? (existsSync(local) ? local : 'python3');
const document = execFileSync(python, ['-m', 'deploy.openapi'], {
  cwd: root,
  maxBuffer: 64 * 2 ** 20,
});
const types = astToString(
  await openapiTS(JSON.parse(document.toString()), {
    alphabetize: true,
    defaultNonNullable: false,
  }),
);
const hash = createHash('sha256').update(document).digest('hex');
writeFileSync(
  new URL('../src/lib/api/schema.d.ts', import.meta.url),
  `// Written by \`npm run api\` from ${hash}\n\n${types}`,
);
