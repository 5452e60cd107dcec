import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/** Bytes of a text such as `24GB` (10^9) or `16 GiB` (2^30); undefined where it is none. */
export function bytesOfSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^\s*(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]{0,3})\s*$/.exec(text) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  return digits === '' || factor === undefined ? undefined : Math.round(Number(digits) * factor);
}

/** A size of memory in bytes: a whole number of bytes, or a text with a unit. */
export function memorySize(): z.ZodType<number> {
  const asBytes = (value: unknown): unknown =>
    typeof value === 'string' ? (bytesOfSize(value) ?? value) : value;
  return z.preprocess(
    asBytes,
    z.custom<number>((value) => Number.isSafeInteger(value) && Number(value) > 0, {
      message: 'must be a size with a unit, such as 24GB or 16GiB',
    }),
  );
}
