/**
 * Copies a string out of the text it was cut from. V8 keeps the whole text alive behind every cut of
 * 13 characters and more, so what is kept for long must not be one: a link's target would hold its
 * note in memory.
 */
export function detachedString(text: string): string {
  return text.length < 13 ? text : Buffer.from(text, 'utf16le').toString('utf16le');
}
