/** Ends of lines to Unicode and to Python's `splitlines`, which JSON lets stand in a string. */
const OTHER_LINE_ENDS = /[\u0085\u2028\u2029]/g;

/**
 * Writes JSON for a stream that is read line by line: many clients split it at every end of a line that
 * Unicode knows, and would find half a record. Ollama's own server escapes such characters, too.
 */
export function lineSafeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(OTHER_LINE_ENDS, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
