import { ObeliskError } from '../shared/errors.ts';

/** A file of a vault, as a URL names it. */
export type VaultPath = {
  readonly vault: string;
  /** `/` between folders, NFC; empty for the vault itself. */
  readonly path: string;
};

/** URL of the page that shows a note, or the heading or block of it with the id `anchor`, relative to the server's root. */
export function noteUrl(vault: string, path: string, anchor?: string): string {
  const fragment = anchor === undefined ? '' : `#${encodeURIComponent(anchor)}`;
  return `/vault/${encodePath(vault)}/${encodePath(path)}${fragment}`;
}

/** URL of a picture of a vault, relative to the server's root. */
export function vaultFileUrl(vault: string, path: string): string {
  return `/vault-files/${encodePath(vault)}/${encodePath(path)}`;
}

/**
 * Reads `<vault>/<path>` from what follows `prefix` in a request's path. A part that could name
 * something outside of the vault on any platform (`..`, a separator hidden by percent-encoding, NUL)
 * names nothing.
 * @throws ObeliskError `invalid_request` for a broken escape, `not_found` for such a part.
 */
export function parseVaultPath(requestPath: string, prefix: string): VaultPath {
  const parts = requestPath.slice(prefix.length).split('/').map(decodePart);
  const vault = parts.shift() ?? '';
  if (parts.at(-1) === '') parts.pop();
  if (vault === '' || parts.some(isUnsafePart)) {
    throw new ObeliskError('not_found', 'the address does not name a note of a vault; check its path');
  }
  return { vault, path: parts.join('/') };
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part).normalize('NFC');
  } catch (cause) {
    throw new ObeliskError('invalid_request', 'the address has a broken percent-escape; correct it', {
      cause,
    });
  }
}

function isUnsafePart(part: string): boolean {
  return part === '' || part === '.' || part === '..' || /[/\\\0]/.test(part);
}
