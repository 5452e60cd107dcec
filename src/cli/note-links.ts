const LINK = /\[([^\]\n]+)\]\((?:https?:\/\/[^/\s)]+)?\/vault\/[^/\s)]+\/([^\s)]+)\)/g;
/** What may still become a link when more text arrives. */
const UNFINISHED = /\[[^\]\n]*(?:\](?:\([^)\n]*)?)?$/;
const LONGEST_LINK = 2000;

/**
 * Writes links to the page's notes, which lead nowhere on a terminal, as `title (path)`, while the
 * text streams. All other text passes unchanged; at most one unfinished link is held back.
 */
export class NoteLinks {
  #held = '';

  /** Takes the next text and returns what can be shown. */
  push(text: string): string {
    const all = this.#held + text;
    const unfinished = UNFINISHED.exec(all.slice(-LONGEST_LINK));
    this.#held = unfinished?.[0] ?? '';
    return toPlain(all.slice(0, all.length - this.#held.length));
  }

  /** Returns what was held back. */
  end(): string {
    const rest = toPlain(this.#held);
    this.#held = '';
    return rest;
  }
}

function toPlain(text: string): string {
  return text.replaceAll(LINK, (_link, title: string, path: string) => `${title} (${decode(path)})`);
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}
