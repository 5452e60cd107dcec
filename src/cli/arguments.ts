import { parseArgs } from 'node:util';
import { nearest } from '../shared/nearest.ts';

/** One option of a command. */
export type OptionSpec = {
  readonly short?: string;
  /** Word for the value in the help; an option without one is a switch. */
  readonly value?: string;
  readonly multiple?: boolean;
  /** The value is a whole number in this range. */
  readonly whole?: readonly [minimum: number, maximum: number];
  readonly description: string;
};

/** What can be given to a command. */
export type CommandSpec = {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as the help writes them. */
  readonly positionals?: string;
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Whole sentences below the options. */
  readonly notes?: readonly string[];
  readonly examples: readonly string[];
};

/** Options that every command has. */
export const COMMON_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  config: {
    short: 'c',
    value: 'FILE',
    description: 'Configuration file (default: ./obelisk.yaml, if there)',
  },
  'data-dir': { value: 'DIR', description: 'Where indexes are kept' },
  json: { description: 'Print one JSON document on standard output' },
  help: { short: 'h', description: 'Show this help' },
};

/** Arguments after checking. */
export type Arguments = {
  readonly positionals: readonly string[];
  text(option: string): string | undefined;
  texts(option: string): readonly string[];
  whole(option: string): number | undefined;
  has(option: string): boolean;
};

/** Arguments, or one sentence that says what is wrong with them. */
export type ParsedArguments =
  | { readonly kind: 'parsed'; readonly arguments: Arguments }
  | { readonly kind: 'wrong'; readonly message: string };

/** Checks what was typed against what a command takes; an unknown option is told the nearest one. */
export function parseArguments(spec: CommandSpec, given: readonly string[]): ParsedArguments {
  const options = { ...spec.options, ...COMMON_OPTIONS };
  const parsed = parseLoosely(options, given);
  const wrong = parsed.tokens
    .map((token) => (token.kind === 'option' ? problemOf(token, options) : undefined))
    .find((problem) => problem !== undefined);
  if (wrong !== undefined) return { kind: 'wrong', message: wrong };
  if (spec.positionals === undefined && parsed.positionals.length > 0) {
    return { kind: 'wrong', message: `obelisk ${spec.name} takes no "${parsed.positionals[0] ?? ''}"` };
  }
  return { kind: 'parsed', arguments: toArguments(parsed) };
}

type Token = {
  readonly kind: 'option';
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
};

type Loose = {
  readonly positionals: readonly string[];
  readonly tokens: readonly (Token | { readonly kind: 'positional' | 'option-terminator' })[];
};

function parseLoosely(options: Readonly<Record<string, OptionSpec>>, given: readonly string[]): Loose {
  const config = Object.fromEntries(
    Object.entries(options).map(([name, option]) => [name, toNodeOption(option)]),
  );
  return parseArgs({
    args: [...given],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
}

function toNodeOption(option: OptionSpec): {
  type: 'string' | 'boolean';
  multiple: boolean;
  short?: string;
} {
  return {
    type: option.value === undefined ? 'boolean' : 'string',
    multiple: option.multiple ?? false,
    ...(option.short === undefined ? {} : { short: option.short }),
  };
}

function problemOf(token: Token, options: Readonly<Record<string, OptionSpec>>): string | undefined {
  const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
  if (option === undefined) {
    const [closest] = nearest(token.name, Object.keys(options), 1);
    return `unknown option ${token.rawName}${closest === undefined ? '' : `; did you mean --${closest}?`}`;
  }
  const { value } = token;
  if (option.value === undefined) {
    return value === undefined ? undefined : `${token.rawName} is a switch and takes no value`;
  }
  if (value === undefined || value === '')
    return `${token.rawName} needs a value: ${token.rawName} ${option.value}`;
  return option.whole === undefined ? undefined : wholeProblem(token.rawName, value, option.whole);
}

function wholeProblem(
  name: string,
  value: string,
  [minimum, maximum]: readonly [number, number],
): string | undefined {
  const number = /^\d{1,9}$/.test(value) ? Number(value) : NaN;
  if (number >= minimum && number <= maximum) return undefined;
  return `${name} must be a whole number from ${minimum} to ${maximum}`;
}

function toArguments({ positionals, tokens }: Loose): Arguments {
  const given = tokens.filter((token) => token.kind === 'option');
  const texts = (option: string): readonly string[] =>
    given.flatMap((token) => (token.name === option && token.value !== undefined ? [token.value] : []));
  return {
    positionals,
    texts,
    text: (option) => texts(option).at(-1),
    whole: (option) => {
      const text = texts(option).at(-1);
      return text === undefined ? undefined : Number(text);
    },
    has: (option) => given.some((token) => token.name === option),
  };
}
