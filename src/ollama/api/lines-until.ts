/** How long the end of a stream is waited for once everything has been said, in milliseconds. */
const LINGER_MS = 100;

/**
 * Reads lines until one of them was the last, which `isOver` says. The end of the stream, which
 * follows at once where all is well, is waited for so that the connection can be used again; a server
 * that does not end it keeps nobody waiting.
 *
 * @param open Opens the lines; aborting its signal closes the connection.
 */
export async function* linesUntil<T>(
  isOver: () => boolean,
  open: (signal: AbortSignal) => AsyncIterable<T>,
  signal: AbortSignal,
): AsyncIterable<T> {
  const lingering = new AbortController();
  const lines = open(AbortSignal.any([signal, lingering.signal]))[Symbol.asyncIterator]();
  try {
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      yield line.value;
      if (isOver()) return;
    }
  } finally {
    if (isOver()) await endOf(lines, lingering);
    else await lines.return?.();
  }
}

/** Waits for the end of lines; what they say or how they fail behind the last one changes nothing. */
async function endOf(lines: AsyncIterator<unknown>, lingering: AbortController): Promise<void> {
  const timer = setTimeout(() => lingering.abort(), LINGER_MS);
  const nothing = (): undefined => undefined;
  await lines.next().then(nothing, nothing);
  clearTimeout(timer);
  await lines.return?.();
}
