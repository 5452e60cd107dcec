import { ObeliskError } from '../shared/errors.ts';
import { LineSplitter, withoutByteOrderMark } from './line-splitter.ts';
import { MAX_RECORD_BYTES } from './sse.ts';
import type { RecordReader } from './sse.ts';

/** What a reader is made of. */
export type NdjsonReaderOptions = {
  /** Gets each line as JSON. */
  onRecord(record: unknown): void;
  /** Longest record accepted, in bytes; 4 MiB by default. */
  readonly maxRecordBytes?: number;
};

function parse(line: string): unknown {
  try {
    const record: unknown = JSON.parse(line);
    return record;
  } catch (error) {
    const message =
      'the upstream sent a line that is not JSON; check that the address is the right kind of server';
    // The parser's own message quotes the text, which may be somebody's prompt.
    throw new ObeliskError('upstream_invalid', message, {
      cause: error instanceof SyntaxError ? undefined : error,
    });
  }
}

/**
 * Creates a reader of newline-delimited JSON, as Ollama streams it. Empty lines are skipped, and a
 * last line without an end is read when the bytes end; `feed` and `end` throw where a line is not JSON.
 */
export function createNdjsonReader(options: NdjsonReaderOptions): RecordReader {
  let atStart = true;
  const lines = new LineSplitter({
    maxBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
    onLine(line) {
      const text = atStart ? withoutByteOrderMark(line) : line;
      atStart = false;
      if (text.trim() !== '') options.onRecord(parse(text));
    },
  });
  return { feed: (chunk) => lines.feed(chunk), end: () => lines.end() };
}
