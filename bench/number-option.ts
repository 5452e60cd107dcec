/**
 * Reads a number from the command line of a benchmark.
 *
 * @throws RangeError naming the option where it is none, or less than 0.
 */
export function numberOption<Name extends string>(
  values: Readonly<Partial<Record<Name, string>>>,
  name: Name,
): number {
  const text: string = values[name] ?? '';
  const number = Number(text);
  if (text.trim() !== '' && number >= 0 && Number.isFinite(number)) return number;
  throw new RangeError(`--${name} ${JSON.stringify(text)}: expected a number that is not negative`);
}
