/** What the loader is told at its start, as JSON in its argument. */
export type LoaderTask = {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly streams: number;
  /** Time over which the streams are begun, in milliseconds; 0 begins all at once. */
  readonly spreadMs: number;
  /** Begins a new stream where one has ended. */
  readonly again: boolean;
};

/** What it answers a message with. */
export type LoaderReport = {
  /** Streams whose first event has come. */
  readonly begun: number;
  /** Streams that ended, or never answered with 200, against what was asked. */
  readonly failed: number;
  readonly failure?: string;
  readonly events: number;
  /** Milliseconds from connecting to being connected, of every connection so far. */
  readonly connectMs: readonly number[];
  /** Milliseconds from asking to the first event, of every stream so far. */
  readonly firstMs: readonly number[];
  /** Milliseconds between events of a stream, by percentile, since the last `reset`. */
  readonly gapP50Ms: number;
  readonly gapP99Ms: number;
};

/** Messages to the loader: `go` connects and asks, `reset` forgets the counts, `report` answers. */
export type LoaderMessage = 'go' | 'reset' | 'report';
