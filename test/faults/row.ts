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
};
