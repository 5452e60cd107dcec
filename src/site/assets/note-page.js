import { loadNote } from './api.js';
import { byId } from './dom.js';
import { withKey } from './key-form.js';
import { guardLinks } from './links.js';
import { parseNoteAddress } from './note-address.js';
import { markLines, parseLines } from './note-lines.js';
import { findAnchor, rebuildHtml } from './safe-html.js';

/** Marks the lines of the address in the note that the server has put into the page. */
const body = byId('note-body', HTMLElement);

/** Loads the note where the server could not show it: the cookie does not travel with links from other programs. */
async function unlock() {
  const { vault, path } = parseNoteAddress(location.pathname);
  const note = await withKey(() => loadNote(vault, path));
  document.title = `${note.title} · Obelisk`;
  byId('note-title', HTMLElement).textContent = note.title;
  body.replaceChildren(rebuildHtml(note.html));
  const obsidian = byId('note-obsidian', HTMLAnchorElement);
  obsidian.href = note.obsidianUrl;
  obsidian.hidden = false;
}

const show = () => {
  const marked = markLines(body, parseLines(location.hash));
  if (!marked) findAnchor(body, location.hash)?.scrollIntoView({ block: 'start' });
};

guardLinks();
window.addEventListener('hashchange', show);
if (body.dataset['state'] === 'locked') {
  unlock().then(show, (/** @type {unknown} */ error) => {
    body.textContent = error instanceof Error ? error.message : String(error);
  });
} else show();
