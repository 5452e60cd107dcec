import { isGoDuration } from '../../shared/keep-alive.ts';
import type { EnvironmentVariable } from './environment-variable.ts';

/** What a text means to the program that reads it. */
export type ReadValue = {
  /** The value that counts, in words. */
  readonly effective: string;
  /** Why the text does not mean what it seems to. */
  readonly problem?: string;
};

/** Go's ParseBool. */
const TRUE: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE: ReadonlySet<string> = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Takes off the spaces and quotes that Ollama takes off (envconfig `Var`), which unit files leave in. */
export function withoutQuotes(text: string): string {
  return text.trim().replaceAll(/^["']+|["']+$/g, '');
}

/** Reads the text of a variable as the program does that it is for. */
export function readValue(variable: EnvironmentVariable, raw: string): ReadValue {
  const text = variable.name.startsWith('OLLAMA_') ? withoutQuotes(raw) : raw;
  if (text === '' && variable.value !== 'presence') return readEmpty(variable);
  const reader = READERS[variable.value];
  return reader === undefined ? { effective: text } : reader(text, variable);
}

/** Ollama takes an empty value for none, but no device at all is a list of devices. */
function readEmpty(variable: EnvironmentVariable): ReadValue {
  if (!variable.name.endsWith('_VISIBLE_DEVICES')) return { effective: variable.default };
  return { effective: 'none', problem: 'is set to nothing, which some drivers read as no device at all' };
}

type Reader = (text: string, variable: EnvironmentVariable) => ReadValue;

const READERS: Partial<Record<EnvironmentVariable['value'], Reader>> = {
  switch: (text, { name }) => {
    if (TRUE.has(text)) return { effective: 'on' };
    if (FALSE.has(text)) return { effective: 'off' };
    return name.startsWith('OLLAMA_')
      ? {
          effective: 'on',
          problem: `is ${quote(text)}, which is no boolean and so counts as on; write 1 or 0`,
        }
      : { effective: text };
  },
  presence: (text) =>
    FALSE.has(text) || text === ''
      ? { effective: 'on', problem: `is ${quote(text)}, but whatever it is set to counts as on; take it out` }
      : { effective: 'on' },
  count: readDigits,
  bytes: readDigits,
  duration: (text, variable) => {
    if (/^[+-]?\d+$/.test(text)) return { effective: `${text} s` };
    if (isGoDuration(text)) return { effective: text };
    return unread(text, variable, 'write it as 5m, 1h30m or in seconds');
  },
  choice: (text, variable) => {
    const { choices = [] } = variable;
    if (choices.some((choice) => choice.toLowerCase() === text.toLowerCase())) return { effective: text };
    return { effective: text, problem: `is ${quote(text)}; what is known is ${choices.join(', ')}` };
  },
};

function readDigits(text: string, variable: EnvironmentVariable): ReadValue {
  if (/^\d+$/.test(text)) return { effective: text };
  const hint =
    variable.value === 'bytes' ? 'write bytes in digits: 1 GiB is 1073741824' : 'write a whole number';
  return unread(text, variable, hint);
}

function unread(text: string, variable: EnvironmentVariable, hint: string): ReadValue {
  const problem = `is ${quote(text)}, which is not understood, so that the default counts; ${hint}`;
  return { effective: variable.default, problem };
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
