import { z } from 'zod';
import { baseUrlProblem } from './base-url.ts';
import { hostProblem } from './safe-bind.ts';

/** The kinds of values in `obelisk.yaml`. */

/** What is said of an empty text. */
export const EMPTY_TEXT: string = 'is empty; write a value or remove the line';
/** A text that is not empty. */
export const text = (): z.ZodString => z.string().min(1, EMPTY_TEXT);

/** A whole number; digits in quotes count, because that is what a substituted variable gives. */
export function whole(minimum: number, maximum: number): z.ZodType<number> {
  const digits = (value: unknown): unknown =>
    typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  return z.preprocess(digits, z.number().int().min(minimum).max(maximum));
}

/** Seconds, with decimals; a substituted variable gives them in quotes. */
export function seconds(minimum: number, maximum: number): z.ZodType<number> {
  const decimal = (value: unknown): unknown =>
    typeof value === 'string' && /^\d{1,9}(?:\.\d{1,9})?$/.test(value) ? Number(value) : value;
  return z.preprocess(decimal, z.number().min(minimum).max(maximum));
}

/** True or false, as words too, because that is what a substituted variable gives. */
export function truth(): z.ZodType<boolean> {
  const words = (value: unknown): unknown => (value === 'true' ? true : value === 'false' ? false : value);
  return z.preprocess(words, z.boolean());
}

/** A text with a rule of its own. */
export function refined(problemOf: (value: string) => string | undefined): z.ZodType<string> {
  return z.string().check((context) => {
    const message = problemOf(context.value);
    if (message !== undefined) context.issues.push({ code: 'custom', message, input: undefined });
  });
}

/** A base URL. */
export const url = (): z.ZodType<string> => refined(baseUrlProblem);

/** An origin as a browser sends it, `scheme://host[:port]`, or `app://name` of an Electron program. */
export const origin = (): z.ZodType<string> =>
  refined((value) =>
    /^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/i.test(value)
      ? undefined
      : 'must be an origin without a path, such as https://notes.example',
  );

/** As in a `Host` header, without its port. */
export const hostName = (): z.ZodType<string> => refined(hostProblem);

/** Adds one part to a schema, if the file has it. */
export type Part = <T>(key: string, build: () => z.ZodOptional<z.ZodType<T>>) => z.ZodOptional<z.ZodType<T>>;

/** Creates the building of the parts that a file has: a start pays only for what it uses. */
export function createParts(has: (key: string) => boolean): Part {
  const absent = z.never().optional();
  return (key, build) => (has(key) ? build() : absent);
}
