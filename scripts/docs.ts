/**
 * `npm run docs`: writes the notes of `docs/` that are generated. With `--check` it writes nothing and
 * fails when one of them is not what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileSchema } from '../src/config/file-schema.ts';
import { toSchemaTree } from '../src/config/schema-tree.ts';
import { ERROR_KINDS } from '../src/shared/errors.ts';
import { configurationNote } from './configuration-note.ts';
import { ROWS as CLIENT_ROWS } from '../test/faults/client/client-rows.ts';
import { ROWS as PROCESS_ROWS } from '../test/faults/process/process-rows.ts';
import { ROWS as UPSTREAM_ROWS } from '../test/faults/upstream/upstream-rows.ts';
import { errorsNote } from './errors-note.ts';
import { faultNote } from './fault-note.ts';
import { managementNote } from './management-note.ts';
import type { ManagementDocument } from './management-note.ts';
import { openApiDocument } from '../src/gateway/ollama-management/openapi.ts';

const notes = {
  'docs/Configuration.md': configurationNote(toSchemaTree(fileSchema(() => true))),
  'docs/Errors.md': errorsNote(ERROR_KINDS),
  'docs/Management API.md': managementNote(documentOf()),
  'docs/Fault matrix.md': faultNote([...UPSTREAM_ROWS, ...CLIENT_ROWS, ...PROCESS_ROWS]),
};

const isCheck = process.argv.includes('--check');
for (const [file, text] of Object.entries(notes)) {
  if (!isCheck) {
    writeFileSync(file, text);
  } else if (readIfThere(file) !== text) {
    process.stderr.write(`${file} is not what the sources say: run "npm run docs"\n`);
    process.exitCode = 1;
  }
}

/** As it is served: what JSON leaves out is not there. */
function documentOf(): ManagementDocument {
  // Its own test holds it to this form.
  return JSON.parse(JSON.stringify(openApiDocument())) as ManagementDocument;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\r\n', '\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
