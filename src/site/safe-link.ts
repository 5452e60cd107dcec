/**
 * Escapes text for element content and for attribute values in quotes.
 */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

const EXTERNAL = /^(?:https?:\/\/|mailto:|obsidian:\/\/)/i;

/**
 * Address of a link that leaves the vault, or `undefined` when it must not be followed. Only http,
 * https, mailto and obsidian pass. Browsers drop tabs, line breaks and leading control characters
 * before they look at the scheme, so an address with any of them is refused, not repaired.
 */
export function safeExternalHref(url: string): string | undefined {
  return EXTERNAL.test(url) && !hasControlOrSpace(url) && URL.canParse(url) ? new URL(url).href : undefined;
}

function hasControlOrSpace(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code <= 0x20 || (code >= 0x7f && code <= 0x9f)) return true;
  }
  return false;
}

const DATA_IMAGE = /^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+={0,2}$/;

/** Longest picture that is kept inside a note's text, in characters. */
const LONGEST_DATA_IMAGE = 2_097_152;

/** A picture written into the note as base64, in a format without script; else `undefined`. */
export function safeDataImage(url: string): string | undefined {
  return url.length <= LONGEST_DATA_IMAGE && DATA_IMAGE.test(url) ? url : undefined;
}

/** Addresses made by the caller for notes and files of the vault: a path of this server, or a fragment. */
export function isOwnAddress(url: string): boolean {
  return /^(?:\/(?![/\\])|\.{1,2}\/|[#?]|https?:\/\/)/i.test(url) && !hasControlOrSpace(url);
}
