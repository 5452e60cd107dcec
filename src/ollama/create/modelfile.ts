import { ObeliskError } from '../../shared/errors.ts';

import { ModelfileValue } from './modelfile-value.ts';

/** A command that takes a value and nothing else. */
export type ModelfileWord = (typeof WORDS)[number];

/** One command of a Modelfile. `line` counts from 1. */
export type ModelfileCommand = { readonly line: number; readonly value: string } & (
  | { readonly command: ModelfileWord }
  | { readonly command: 'parameter'; readonly name: string }
  | { readonly command: 'message'; readonly role: string }
);

const WORDS = [
  'from',
  'license',
  'template',
  'system',
  'adapter',
  'draft',
  'renderer',
  'parser',
  'requires',
] as const;
const COMMANDS: readonly string[] = [...WORDS, 'parameter', 'message'];
const ROLES = ['system', 'user', 'assistant'];

/** What Go's `strconv.IsPrint` keeps: letters, marks, numbers, punctuation, symbols and the ASCII space. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const LETTER = /^[A-Za-z]$/;
const NAME_CHARACTER = /^\w$/;

type State = 'between' | 'comment' | 'command' | 'parameter' | 'message' | 'value';

/**
 * Reads a Modelfile exactly as Ollama's own client does, its oddities included: characters that do not
 * print are dropped, a quote ends a value only at the end of a line, and there must be a FROM.
 * @throws ObeliskError `invalid_request` with the line.
 */
export function parseModelfile(text: string): readonly ModelfileCommand[] {
  const reader = new ModelfileReader();
  for (const char of text.replace(/^\uFEFF/, '')) reader.read(char);
  return reader.end();
}

/** Decodes the bytes of a Modelfile: UTF-8, or UTF-16 with a byte order mark. */
export function decodeModelfile(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  return new TextDecoder('utf-8').decode(bytes);
}

class ModelfileReader {
  readonly #commands: ModelfileCommand[] = [];
  #state: State = 'between';
  #line = 1;
  #afterReturn = false;
  /** Where the command that is read began. */
  #begun = 1;
  #word = '';
  #command = '';
  /** Name of the parameter, or role of the message. */
  #of = '';
  #value = new ModelfileValue();

  read(char: string): void {
    const isNewline = char === '\n' || char === '\r';
    this.#step(char, isNewline);
    if (isNewline && !(char === '\n' && this.#afterReturn)) this.#line += 1;
    this.#afterReturn = char === '\r';
  }

  end(): readonly ModelfileCommand[] {
    if (this.#state === 'value') {
      if (!this.#value.isComplete) {
        throw refused(
          this.#begun,
          `the value of ${this.#command.toUpperCase()} has a quote that is not closed`,
        );
      }
      this.#finish();
    } else if (this.#state !== 'between' && this.#state !== 'comment') {
      throw refused(this.#begun, 'the last command has no value');
    }
    if (this.#commands.some(({ command }) => command === 'from')) return this.#commands;
    throw new ObeliskError('invalid_request', 'the Modelfile has no FROM line');
  }

  #step(char: string, isNewline: boolean): void {
    const isSpace = char === ' ' || char === '\t';
    switch (this.#state) {
      case 'between':
        this.#begin(char, isSpace || isNewline);
        return;
      case 'comment':
        if (isNewline) this.#state = 'between';
        return;
      case 'value':
        this.#addToValue(char, { isSpace, isNewline });
        return;
      default:
        this.#addToWord(char, isSpace);
    }
  }

  #begin(char: string, isBlank: boolean): void {
    if (isBlank) return;
    this.#begun = this.#line;
    this.#word = PRINTABLE.test(char) ? char : '';
    this.#state = char === '#' ? 'comment' : 'command';
  }

  #addToValue(char: string, { isSpace, isNewline }: { isSpace: boolean; isNewline: boolean }): void {
    if (isNewline && this.#value.isComplete) this.#finish();
    else if (isSpace || isNewline || PRINTABLE.test(char)) this.#value.add(char);
  }

  #addToWord(char: string, isSpace: boolean): void {
    const allowed = this.#state === 'parameter' ? NAME_CHARACTER : LETTER;
    if (allowed.test(char)) this.#word += char;
    else if (isSpace) this.#endWord();
    else throw this.#brokenWord();
  }

  #endWord(): void {
    const word = this.#word;
    this.#word = '';
    if (this.#state === 'command') {
      this.#command = word.toLowerCase();
      if (!COMMANDS.includes(this.#command)) throw this.#brokenWord(word);
      this.#of = '';
      this.#state = this.#command === 'parameter' || this.#command === 'message' ? this.#command : 'value';
      return;
    }
    if (this.#state === 'message' && !ROLES.includes(word)) {
      throw refused(this.#begun, `the role of a MESSAGE is one of ${ROLES.join(', ')}, after one space`);
    }
    if (word === '') throw refused(this.#begun, 'PARAMETER is followed by one space and a name');
    this.#of = word;
    this.#state = 'value';
  }

  #finish(): void {
    const value = this.#value.text;
    this.#value = new ModelfileValue();
    this.#state = 'between';
    this.#commands.push(toCommand({ line: this.#begun, value }, this.#command, this.#of));
  }

  #brokenWord(word: string = this.#word): ObeliskError {
    if (this.#state === 'parameter' || this.#state === 'message') {
      return refused(this.#begun, `${this.#command.toUpperCase()} is followed by a name and a value`);
    }
    if (COMMANDS.some((command) => command === word.toLowerCase())) {
      return refused(this.#begun, `${word.toUpperCase()} has no value`);
    }
    const known = COMMANDS.map((command) => command.toUpperCase()).join(', ');
    return refused(this.#begun, `${JSON.stringify(word.slice(0, 40))} is not one of ${known}`);
  }
}

function toCommand(
  base: { readonly line: number; readonly value: string },
  command: string,
  of: string,
): ModelfileCommand {
  if (command === 'parameter') return { ...base, command, name: of };
  if (command === 'message') return { ...base, command, role: of };
  const word = WORDS.find((one) => one === command);
  if (word === undefined) throw new TypeError(`no command ${command}`);
  return { ...base, command: word };
}

function refused(line: number, what: string): ObeliskError {
  return new ObeliskError('invalid_request', `line ${line} of the Modelfile: ${what}`);
}
