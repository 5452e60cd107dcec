/** One fault and what a client sees of it; what the table in the documentation is made from. */
export type FaultRow = {
  /** Number of the row; rows of one number are cases of one fault. */
  readonly row: number;
  /** The fault, in a few words: what the peer does. */
  readonly fault: string;
  /** Who misbehaves. */
  readonly side: 'upstream' | 'client' | 'process';
  /** What the client sees, in a sentence for people. */
  readonly sees: string;
  /** What exactly is scripted and answered, where the row is run as a table of cases. */
  readonly details?: readonly FaultDetail[];
};

/** One scripted variant of a fault and its answer in every column that it exists in. */
export type FaultDetail = {
  /** What the peer does, to the byte. */
  readonly name: string;
  /** By column, as `openai json`: the answer in the words of the page. */
  readonly answers: ReadonlyMap<string, string>;
};
