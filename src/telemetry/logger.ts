import type { Secret } from '../shared/secret.ts';
import { TextByPlace } from '../shared/text-by-place.ts';
import type { LogFields, Logger } from './log.ts';

/** How much is said. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a log needs from its surroundings. */
export type LoggerOptions = {
  /** Where lines go: `process.stderr`, a file, a test's array. */
  readonly stream: {
    write(text: string): unknown;
    /** Bytes that were written and that nobody has taken yet, where that is known. */
    readonly writableLength?: number;
  };
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  /** Whether the stream is a terminal that shows colours; only `text` has them. */
  readonly colours?: boolean;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** How long lines may wait to be written together; 100 ms unless told. */
  readonly flushMs?: number;
  /**
   * Every secret the process holds at first. A line that contains one, by whatever mistake, is written
   * with `[secret]` in its place.
   */
  readonly secrets?: readonly Secret[];
};

/** A log that writes in batches. */
export type BatchedLogger = Logger & {
  /** Writes what is waiting; call it before the process ends. */
  flush(): void;
  /** Says more or less from now on. */
  setLevel(level: LogLevel): void;
  /** Keeps more secrets out of the lines. */
  addSecrets(secrets: readonly Secret[]): void;
};

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const COLOUR: Readonly<Record<LogLevel, string>> = {
  debug: '\u001B[2m',
  info: '\u001B[36m',
  warn: '\u001B[33m',
  error: '\u001B[31m',
};
const RESET = '\u001B[0m';

/** Lines that are written together: a write for each would cost more than the line. */
const LINES_TOGETHER = 64;

/** Text that waits for a reader that has stopped reading; beyond that, lines are lost rather than memory. */
const MAX_WAITING_BYTES = 1024 * 1024;

type FieldValue = NonNullable<LogFields[string]>;

type Line = {
  readonly atMs: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields | undefined;
};

/**
 * Creates a log. The lines of a turn of the event loop are formatted together at its end, which costs
 * less than each on its own and holds up no answer, and are written in batches.
 */
export function createLogger(options: LoggerOptions): BatchedLogger {
  const waiting: Line[] = [];
  let text = '';
  let lines = 0;
  let timer: NodeJS.Timeout | undefined;
  let lowest = RANK[options.level];
  const secrets = new Set<string>();
  let leaks: RegExp | undefined;
  const addSecrets = (more: readonly Secret[]): void => {
    for (const secret of more) for (const shape of shapesOf(secret.reveal())) secrets.add(shape);
    leaks = anyOf(secrets);
  };
  addSecrets(options.secrets ?? []);
  const format = options.format === 'json' ? toJson() : toText(options.colours === true);
  const formatWaiting = (): void => {
    if (waiting.length === 0) return;
    let turn = '';
    for (const line of waiting) turn += format(line);
    text += leaks === undefined ? turn : turn.replace(leaks, '[secret]');
    lines += waiting.length;
    waiting.length = 0;
    if (lines >= LINES_TOGETHER) write();
  };
  let lost = 0;
  const write = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (text === '') return;
    const told = lost === 0 ? '' : format(lostLine(options.now(), lost));
    // Nobody else can be told of what is lost; the log tells once it can.
    lost = tryWrite(options.stream, told + text) ? 0 : lost + lines;
    text = '';
    lines = 0;
  };
  const flush = (): void => {
    formatWaiting();
    write();
  };
  const log = (level: LogLevel, message: string, fields: LogFields | undefined): void => {
    if (RANK[level] < lowest) return;
    waiting.push({ atMs: options.now(), level, message, fields });
    if (waiting.length === 1) setImmediate(formatWaiting);
    else if (waiting.length === LINES_TOGETHER) formatWaiting();
    // Waiting lines must not keep a finished process alive; its end calls `flush`.
    timer ??= setTimeout(flush, options.flushMs ?? 100).unref();
  };
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    flush,
    setLevel(level) {
      lowest = RANK[level];
    },
    addSecrets,
  };
}

/** Neither a full disk nor a reader that has stopped must harm what is logged. */
function tryWrite(stream: LoggerOptions['stream'], text: string): boolean {
  if ((stream.writableLength ?? 0) > MAX_WAITING_BYTES) return false;
  try {
    stream.write(text);
    return true;
  } catch {
    return false;
  }
}

function lostLine(atMs: number, lines: number): Line {
  return { atMs, level: 'error', message: 'lines of the log could not be written', fields: { lines } };
}

/** How a secret may stand in a line: both formats may escape quotes and the like. */
function shapesOf(value: string): readonly string[] {
  return value === '' ? [] : [value, JSON.stringify(value).slice(1, -1)];
}

/**
 * Finds any of some texts, the longest first, where one is part of another: one pass over the lines,
 * however many secrets there are.
 */
function anyOf(texts: ReadonlySet<string>): RegExp | undefined {
  const longestFirst = [...texts].sort((a, b) => b.length - a.length);
  return texts.size === 0
    ? undefined
    : new RegExp(longestFirst.map((text) => text.replaceAll(/\W/g, '\\$&')).join('|'), 'g');
}

/** Lines of one batch share their milliseconds: a date is dearer than the rest of a line. */
function createTimestamps(): (atMs: number) => string {
  let shownMs = Number.NaN;
  let shown = '';
  return (atMs) => {
    if (atMs !== shownMs) {
      shownMs = atMs;
      shown = new Date(atMs).toISOString();
    }
    return shown;
  };
}

function toJson(): (line: Line) => string {
  const time = createTimestamps();
  // Names and messages are constant sentences of the sources, so what is remembered of them is bounded.
  const messages = remembered((text) => JSON.stringify(text));
  const texts = new TextByPlace<FieldValue>((key, value) => `,"${key}":${toJsonText(value)}`);
  return ({ atMs, level, message, fields }) => {
    let text = `{"time":"${time(atMs)}","level":"${level}","message":${messages(message)}`;
    let place = 0;
    for (const key in fields) {
      const value = fields[key];
      if (value !== undefined) text += texts.at(place, key, value);
      place += 1;
    }
    return `${text}}\n`;
  };
}

function remembered(make: (text: string) => string): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    let made = known.get(text);
    if (made === undefined) {
      made = make(text);
      known.set(text, made);
    }
    return made;
  };
}

/** By hand what is plain: a call of `JSON.stringify` costs as much as the rest of a field. */
function toJsonText(value: FieldValue): string {
  if (typeof value === 'string') return UNESCAPED.test(value) ? `"${value}"` : JSON.stringify(value);
  return typeof value === 'number' && !Number.isFinite(value) ? 'null' : `${value}`;
}

function toText(colours: boolean): (line: Line) => string {
  const time = createTimestamps();
  return ({ atMs, level, message, fields }) => {
    const name = colours ? `${COLOUR[level]}${level.padEnd(5)}${RESET}` : level.padEnd(5);
    let text = `${time(atMs).slice(11, 23)} ${name} ${message}`;
    for (const key in fields) {
      const value = fields[key];
      if (value !== undefined) text += ` ${key}=${typeof value === 'string' ? quoted(value) : value}`;
    }
    return `${text}\n`;
  };
}

/** What JSON holds as it is: visible ASCII but the quote and the backslash. */
const UNESCAPED = /^[ !#-[\]-~]*$/;
const PLAIN = /^[\w./:@+-]+$/;

/** Anything but plain words is quoted, so that a value cannot forge a line or move the cursor. */
function quoted(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}
