import { styleText } from 'node:util';
import type { Environment } from '../config/substitute.ts';
import type { Output } from './terminal.ts';

/** Colours for one output; each function returns its text unchanged where there are none. */
export type Style = {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
};

/**
 * Decides on colours: `NO_COLOR` (no-color.org) forbids, `FORCE_COLOR` asks, otherwise only a
 * terminal that is not dumb has them.
 */
export function hasColour(output: Output, environment: Environment): boolean {
  if (environment['NO_COLOR']) return false;
  const forced = environment['FORCE_COLOR'];
  if (forced !== undefined && forced !== '') return forced !== '0' && forced !== 'false';
  return output.isTerminal && environment['TERM'] !== 'dumb';
}

/** Makes the style of an output. */
export function createStyle(output: Output, environment: Environment): Style {
  const colour = hasColour(output, environment);
  const paint =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      colour ? styleText(format, text, { validateStream: false }) : text;
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    red: paint('red'),
    green: paint('green'),
    yellow: paint('yellow'),
    cyan: paint('cyan'),
  };
}

/**
 * Text of notes, models and servers without control characters: an escape sequence in a note could
 * otherwise rewrite the screen, or the clipboard of some terminals.
 */
export function withoutControls(text: string): string {
  return text.replaceAll(/\r\n/g, '\n').replaceAll(/[^\P{Cc}\n\t]/gu, '');
}
