/** An object with this one property, or without it where there is no value for it. */
export function defined<Key extends string, Value>(
  key: Key,
  value: Value | null | undefined,
): { readonly [K in Key]?: Value } {
  // A computed key widens to an index signature; the only key is `Key`.
  return value === null || value === undefined ? {} : ({ [key]: value } as { readonly [K in Key]?: Value });
}
