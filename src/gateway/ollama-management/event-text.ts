/**
 * Creates what writes events for many readers. Whoever tells of something gives each of them the same
 * object, and its text is made once for all of them.
 */
export function createEventText<Event extends object>(
  nameOf: (event: Event) => string,
): (event: Event) => string {
  const texts = new WeakMap<Event, string>();
  return (event) => {
    const known = texts.get(event);
    if (known !== undefined) return known;
    const text = `event: ${nameOf(event)}\ndata: ${JSON.stringify(event)}\n\n`;
    texts.set(event, text);
    return text;
  };
}
