import { ObeliskError } from '../shared/errors.ts';
import type { VaultLibrary, VaultStatus } from '../rag/library.ts';
import type { Handler, HttpRequest } from '../wire/http.ts';
import { sendJson } from './json-response.ts';
import { parseVaultPath } from './note-url.ts';
import { viewNote } from './note-view.ts';

const MOST_QUERY_CHARACTERS = 4_000;
const MOST_RESULTS = 50;

/** Serves `GET /obelisk/v1/vaults`: every vault and how far its index is. */
export function vaultListHandler(library: Pick<VaultLibrary, 'status'>): Handler {
  return (_request, response) => {
    sendJson(response, { object: 'list', data: library.status().map(toPublicStatus) });
  };
}

/**
 * Serves `GET /obelisk/v1/search?vault=…&q=…&limit=…&folder=…&tag=…`: the notes and passages that an
 * answer would be written from.
 */
export function searchHandler(library: Pick<VaultLibrary, 'names' | 'search'>): Handler {
  return async (request, response) => {
    const query = new URLSearchParams(request.query);
    const text = query.get('q')?.trim() ?? '';
    if (text === '' || text.length > MOST_QUERY_CHARACTERS) {
      throw new ObeliskError(
        'invalid_request',
        `give the search text in q, up to ${MOST_QUERY_CHARACTERS} characters`,
        {
          param: 'q',
        },
      );
    }
    const folder = query.get('folder');
    const tag = query.get('tag');
    const filters = { ...(folder ? { folder } : {}), ...(tag ? { tag } : {}) };
    const result = await untilGone(request, (signal) =>
      library.search(chooseVault(library, query.get('vault')), text, {
        limit: readLimit(query),
        filters,
        signal,
      }),
    );
    if (!response.closed) sendJson(response, result);
  };
}

/** Serves `GET /obelisk/v1/vaults/<vault>/notes/<path>`: one note, rendered. */
export function noteHandler(library: Pick<VaultLibrary, 'note'>): Handler {
  return async (request, response) => {
    const { vault, path } = parseVaultPath(request.path, '/obelisk/v1/vaults/');
    if (!path.startsWith('notes/')) {
      throw new ObeliskError(
        'not_found',
        `there is nothing at ${request.path}; a note is at vaults/<name>/notes/<path>`,
      );
    }
    const view = await viewNote(library, vault, path.slice('notes/'.length));
    if (!response.closed) sendJson(response, view);
  };
}

function readLimit(query: URLSearchParams): number {
  const limit = Number(query.get('limit') ?? 10);
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_RESULTS) return limit;
  throw new ObeliskError('invalid_request', `limit must be a whole number from 1 to ${MOST_RESULTS}`, {
    param: 'limit',
  });
}

function chooseVault(library: Pick<VaultLibrary, 'names'>, name: string | null): string {
  const names = library.names();
  if (name) return name.normalize('NFC');
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  throw new ObeliskError(
    'invalid_request',
    `name a vault in the query: ${names.join(', ') || 'none is served'}`,
    {
      param: 'vault',
    },
  );
}

async function untilGone<T>(request: HttpRequest, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController();
  const forget = request.onGone(() => {
    gone.abort();
  });
  try {
    return await work(gone.signal);
  } finally {
    forget();
  }
}

/** Where a vault lies on the disk is nobody's business but the machine's own. */
function toPublicStatus(
  status: VaultStatus,
): Omit<VaultStatus, 'path' | 'warnings'> & { readonly warnings: number } {
  const { path: _path, warnings, ...shown } = status;
  return { ...shown, warnings: warnings.length };
}
