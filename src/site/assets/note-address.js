/**
 * Reads `/vault/<vault>/<path>`.
 *
 * @param {string} pathname
 */
export function parseNoteAddress(pathname) {
  const [vault = '', ...parts] = pathname
    .replace(/^\/vault\//, '')
    .split('/')
    .map(decodeURIComponent);
  const name = parts.at(-1)?.replace(/\.md$/i, '') ?? '';
  return { vault, path: parts.join('/'), name, folders: [vault, ...parts.slice(0, -1)].join(' / ') };
}
