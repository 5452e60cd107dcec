/** Values a log line may carry: never prompts, note text, keys or bodies. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Structured log. Messages are constant sentences; what varies is in the fields. */
export type Logger = {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
};

/** A log that says nothing, for tests and for the library's default. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
