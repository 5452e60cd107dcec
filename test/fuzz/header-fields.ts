/** Values by lower-case name of headers given as names and values in turn; repeated ones are joined. */
export function fieldsOf(headers: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (let at = 0; at < headers.length; at += 2) {
    const name = (headers[at] ?? '').toLowerCase();
    const before = fields.get(name);
    const value = headers[at + 1] ?? '';
    fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  return fields;
}

/** Says that two readers saw different things. */
export function differs(what: string, codec: unknown, node: unknown): string {
  return `${what} is ${JSON.stringify(codec)} for the codec and ${JSON.stringify(node)} for Node`;
}
