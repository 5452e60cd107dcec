import { loadNote } from './api.js';
import { byId } from './dom.js';
import { withKey } from './key-form.js';
import { parseNoteAddress } from './note-address.js';
import { markLines, parseLines } from './note-lines.js';
import { findAnchor, rebuildHtml } from './safe-html.js';

const PHONE = '(max-width: 56rem)';

/** The panel beside the conversation, or over it on a phone, in which a cited note is read. */
export function createNotePanel() {
  const panel = byId('note', HTMLElement);
  const main = byId('main', HTMLElement);
  const reader = createReader();
  /** @type {HTMLElement | undefined} */
  let opener;

  /** Hides the panel and gives the keyboard back to what opened it. */
  const hide = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    main.inert = false;
    document.body.classList.remove('reading');
    opener?.focus();
  };

  const show = () => {
    if (!panel.hidden) return;
    panel.hidden = false;
    document.body.classList.add('reading');
    main.inert = matchMedia(PHONE).matches;
    // A phone's back button closes the note instead of leaving the conversation.
    history.pushState({ note: true }, '');
  };

  const close = () => {
    if (history.state?.note) history.back();
    else hide();
  };

  byId('note-close', HTMLButtonElement).addEventListener('click', close);
  window.addEventListener('popstate', hide);
  return {
    close,
    isOpen: () => !panel.hidden,
    /**
     * @param {string} address page of a note, relative to the server
     * @param {HTMLElement} from what opened it
     */
    async open(address, from) {
      if (!panel.contains(from)) opener = from;
      show();
      await reader.read(new URL(address, location.href));
    },
  };
}

/** Loads notes into the panel, and shows the place in them that an address names. */
function createReader() {
  const title = byId('note-title', HTMLElement);
  const body = byId('note-body', HTMLElement);
  const full = byId('note-full', HTMLAnchorElement);
  const obsidian = byId('note-obsidian', HTMLAnchorElement);
  let shown = '';

  /** @param {URL} url */
  const load = async (url) => {
    const { vault, path, name, folders } = parseNoteAddress(url.pathname);
    title.textContent = name;
    byId('note-place', HTMLElement).textContent = folders;
    body.replaceChildren();
    obsidian.hidden = true;
    body.setAttribute('aria-busy', 'true');
    shown = url.pathname;
    try {
      const note = await withKey(() => loadNote(vault, path));
      // A slow note must not replace one that was opened after it.
      if (shown !== url.pathname) return;
      title.textContent = note.title;
      body.replaceChildren(rebuildHtml(note.html));
      obsidian.href = note.obsidianUrl;
      obsidian.hidden = false;
    } catch (error) {
      shown = '';
      body.textContent = error instanceof Error ? error.message : String(error);
    } finally {
      body.removeAttribute('aria-busy');
    }
  };

  return {
    /** @param {URL} url */
    async read(url) {
      full.href = url.pathname + url.hash;
      if (shown !== url.pathname) await load(url);
      if (full.href !== url.href) return;
      const marked = markLines(body, parseLines(url.hash));
      const anchor = findAnchor(body, url.hash);
      if (!marked && !anchor) byId('note-scroll', HTMLElement).scrollTop = 0;
      else if (!marked) anchor?.scrollIntoView({ block: 'start' });
      title.focus({ preventScroll: true });
    },
  };
}
