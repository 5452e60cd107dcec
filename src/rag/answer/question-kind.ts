/** What a question wants to be told, as far as its first words say. */
export type QuestionKind = {
  /** A way to do something: steps, commands. */
  readonly way: boolean;
  /** A number, a date, an amount. */
  readonly number: boolean;
};

const WAY =
  /^\s*(?:how\b(?!\s+(?:much|many|old|long|far|often|large|big|tall|high))|wie\b(?!\s+(?:viele?|oft|lange|hoch|gro(?:ß|ss)|alt)(?!\p{L}))|comment\b|¿?c[óo]mo\b|как(?!\p{L})|如何|怎)/iu;
const NUMBER =
  /(?<!\p{L})(?:when|how\s+(?:much|many|old|long|far|often|large|big|tall|high)|(?:what|which)\s+(?:year|date|day|month|century|percentage|number|amount|time|version|port)|wann|wie\s*viele?|wie\s+(?:oft|lange|alt|hoch|gro(?:ß|ss))|quand|combien|cu[áa]ndo|cu[áa]nt[oa]s?|когда|сколько)(?!\p{L})|多少|几|幾|何时|何時|什么时候|什麼時候|哪(?:一)?年|いつ|いくつ|いくら|何(?:年|月|日|人|個|回)|언제|몇/iu;

/** Reads from a question which kind of answer it wants. */
export function questionKind(question: string): QuestionKind {
  return { way: WAY.test(question), number: NUMBER.test(question) };
}
