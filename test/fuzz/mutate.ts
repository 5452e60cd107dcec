import type { Dice } from './dice.ts';

/** What somebody somewhere reads otherwise than somebody else. */
const TOKENS: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\r\n\r\n',
  '\n\n',
  '\r\r\n',
  '\0',
  ' ',
  '\t',
  '\v',
  '\f',
  ':',
  ' :',
  ',',
  ';',
  '"',
  '\\',
  '\r\n ',
  '\r\n\t',
  '\x7F',
  '\x85',
  '\xA0',
  '\xFF',
  'chunked',
  'identity',
  'gzip, ',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding:chunked \r\n',
  'Content-Length: 0\r\n',
  'Content-Length: 5\r\n',
  'Content-Length: 05\r\n',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'Proxy-Connection: close\r\n',
  'Upgrade: h2c\r\n',
  'Expect: 100-continue\r\n',
  'Host: b\r\n',
  'TE: trailers\r\n',
  'Trailer: X\r\n',
  '0\r\n\r\n',
  '5\r\nhello\r\n',
  '0',
  '5',
  '+',
  '-',
  '0x',
  'FFFFFFFF',
  '100000000',
  ';a="b"',
  ';a=b',
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'HTTP/1.1 200 OK\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.0',
  'HTTP/1.1',
  'HTTP/2.0',
  'GET',
  'POST',
  'HEAD',
  'CONNECT',
  '204',
  '304',
  '101',
  '100',
  'http://b',
  '*',
  '?',
  '#',
  '__proto__: x\r\n',
];

type Situation = {
  readonly text: string;
  /** A place in the text. */
  readonly at: number;
  readonly dice: Dice;
  readonly others: readonly string[];
};
type Change = (situation: Situation) => string;

/** A place in the text, more often near its beginning, where heads are. */
const place = (text: string, dice: Dice): number =>
  dice.below(dice.below(2) === 0 ? text.length + 1 : Math.min(text.length + 1, 120));

/** The text with `count` characters at `at` replaced. */
const replaced = ({ text, at }: Situation, count: number, by: string): string =>
  text.slice(0, at) + by + text.slice(at + count);

const changedLines = ({ text }: Situation, change: (lines: string[]) => void): string => {
  const lines = text.split('\r\n');
  change(lines);
  return lines.join('\r\n');
};

const CHANGES: readonly Change[] = [
  (now) => {
    const flipped = (now.text.charCodeAt(now.at) || 0) ^ (1 << now.dice.below(8));
    return replaced(now, 1, String.fromCharCode(flipped));
  },
  (now) => replaced(now, 0, String.fromCharCode(now.dice.below(256))),
  (now) => replaced(now, 1, ''),
  (now) => replaced(now, 1 + now.dice.below(8), ''),
  (now) => replaced(now, 0, now.text.slice(now.at, now.at + 1 + now.dice.below(40))),
  (now) => replaced(now, 0, now.dice.pick(TOKENS)),
  (now) => replaced(now, now.dice.below(12), now.dice.pick(TOKENS)),
  (now) => changedLines(now, (lines) => lines.splice(now.dice.below(lines.length), 1)),
  (now) => changedLines(now, (lines) => lines.splice(now.dice.below(lines.length), 0, now.dice.pick(lines))),
  ({ text, at, dice, others }) => {
    const other = dice.pick(others);
    return text.slice(0, at) + other.slice(place(other, dice));
  },
  ({ text, dice, others }) => text + dice.pick(others),
];

/** Changes a text in one to four places; `others` are texts to splice it with. */
export function mutate(text: string, dice: Dice, others: readonly string[]): string {
  let changed = text;
  for (let left = 1 + dice.below(4); left > 0; left -= 1) {
    changed = dice.pick(CHANGES)({ text: changed, at: place(changed, dice), dice, others });
  }
  return changed;
}
