/** What arrives on a connection: bytes as they were cut, and what comes after them. */
export type Input = {
  readonly pieces: readonly Buffer[];
  /** `open`: nothing more for now; `eof`: the peer has ended its side. */
  readonly ending: 'open' | 'eof';
};

/** One request as a reader framed it. Text is latin1, one character a byte. */
export type ReadRequest = {
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** Names as they came and values, in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  /** Whether the end of the message was seen. */
  readonly complete: boolean;
  /** Whether another request may follow on the connection. */
  readonly keepAlive: boolean;
};

/** What a reader made of the bytes of a connection. */
export type RequestReading = {
  readonly messages: readonly ReadRequest[];
  /** Why it refused to read on after these; undefined when it waits for more. */
  readonly refusal: string | undefined;
};

/** What arrives as the answer to a request. */
export type ResponseInput = Input & { readonly method: 'GET' | 'POST' | 'HEAD' };

/** A response as a reader framed it. Text is latin1, one character a byte. */
export type ReadResponse = {
  readonly status: number;
  /** Names as they came and values, in turn. */
  readonly headers: readonly string[];
  readonly body: string;
  /** Whether the end of the message was seen. */
  readonly complete: boolean;
  /** Whether the connection can carry another request: the message says so and nothing came after it. */
  readonly keepAlive: boolean;
};

/** What a client made of the bytes that answered its request. */
export type ResponseReading = {
  /** Statuses of the interim answers (1xx) before it. */
  readonly interim: readonly number[];
  readonly response?: ReadResponse;
  /** Why it refused to read on; undefined when it waits for more or is done. */
  readonly refusal: string | undefined;
};
