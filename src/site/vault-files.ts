import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { ObeliskError, systemCodeOf } from '../shared/errors.ts';
import type { VaultLibrary } from '../rag/library.ts';
import type { Handler, HttpRequest, HttpResponse } from '../wire/http.ts';
import { matchesEtag } from './assets.ts';
import { parseVaultPath } from './note-url.ts';
import { FILE_POLICY, securityHeaders } from './security-headers.ts';

/** Pictures without scripts: SVG is a document that can run them, and is therefore not here. */
const PICTURES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
};

type Picture = {
  readonly file: string;
  readonly contentType: string;
  readonly size: number;
  readonly etag: string;
};

/** Serves `/vault-files/<vault>/<path>`: pictures that notes embed, and no other file of the vault. */
export function vaultFileHandler(library: Pick<VaultLibrary, 'status'>): Handler {
  return async (request, response) => {
    const { vault, path: relative } = parseVaultPath(request.path, '/vault-files/');
    const root = library.status().find((status) => status.name === vault)?.path;
    const picture = root === undefined ? undefined : await findPicture(root, relative);
    if (picture === undefined) {
      throw new ObeliskError('not_found', `vault ${vault} has no picture of that path; check the path`);
    }
    const headers = {
      ...securityHeaders(FILE_POLICY),
      'cache-control': 'private, no-cache',
      'content-disposition': `inline; filename*=UTF-8''${encodeRfc5987(path.posix.basename(relative))}`,
      'content-type': picture.contentType,
      etag: picture.etag,
    };
    if (matchesEtag(request.header('if-none-match'), picture.etag)) {
      response.head(304, headers);
      response.end();
      return;
    }
    response.head(200, { ...headers, 'content-length': String(picture.size) });
    await sendFile(picture, request, response);
  };
}

/** Links are followed first and judged after: a picture counts where it really lies. */
async function findPicture(root: string, relative: string): Promise<Picture | undefined> {
  const parts = relative.split('/');
  // On Windows, `name:stream` opens another stream of a file.
  if (parts.some((part) => part.startsWith('.') || part.includes(':'))) return undefined;
  try {
    const realRoot = await realpath(root);
    const file = await realpath(path.join(realRoot, ...parts));
    const inside = path.relative(realRoot, file);
    if (path.isAbsolute(inside) || hasHiddenPart(inside)) return undefined;
    const contentType = PICTURES[path.extname(file).toLowerCase()];
    const facts = await stat(file);
    if (contentType === undefined || !facts.isFile()) return undefined;
    const etag = `"${facts.size.toString(36)}-${Math.trunc(facts.mtimeMs).toString(36)}"`;
    return { file, contentType, size: facts.size, etag };
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** `..` begins with a point too: what lies outside is as good as hidden. */
function hasHiddenPart(relative: string): boolean {
  return relative.split(path.sep).some((part) => part.startsWith('.'));
}

function isAbsent(error: unknown): boolean {
  const code = systemCodeOf(error) ?? '';
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM', 'ENAMETOOLONG', 'EINVAL'].includes(code);
}

async function sendFile(picture: Picture, request: HttpRequest, response: HttpResponse): Promise<void> {
  if (picture.size === 0) {
    response.end();
    return;
  }
  // What grows while it is read must not exceed the length that was announced.
  const stream = createReadStream(picture.file, { end: picture.size - 1 });
  const forget = request.onGone(() => stream.destroy());
  try {
    for await (const chunk of stream) {
      if (!response.write(chunk)) await new Promise<void>((resolve) => response.onDrain(resolve));
    }
    response.end();
  } catch (error) {
    if (!response.closed) throw error;
  } finally {
    forget();
  }
}

/** Percent-encoding of a header parameter (RFC 5987 §3.2.1), which leaves out more than a URL does. */
function encodeRfc5987(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
