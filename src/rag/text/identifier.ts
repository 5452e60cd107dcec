const CAMEL_BOUNDARY = /(?<=\p{Ll}|\p{Nd})(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;
const HAS_CASE_CHANGE = /\p{Ll}\p{Nd}*\p{Lu}|\p{Lu}{2}\p{Ll}{2}/u;

/**
 * Splits an identifier in snake_case or camelCase into its parts, case kept; a plain word is its own
 * only part. `HTTPServer` gives `HTTP` and `Server`; leading and doubled underscores give nothing.
 */
export function identifierParts(word: string): string[] {
  const pieces = word.split('_').filter((piece) => piece !== '');
  return pieces.flatMap((piece) => (HAS_CASE_CHANGE.test(piece) ? piece.split(CAMEL_BOUNDARY) : [piece]));
}
