import { readFileSync } from 'node:fs';
import type { AnsweredReading } from './codec-client.ts';
import type { ServedReading } from './codec-server.ts';
import type {
  Input,
  ReadRequest,
  ReadResponse,
  RequestReading,
  ResponseInput,
  ResponseReading,
} from './reading.ts';

/** The files of the frozen corpus. */
export const CORPUS_FILES: { readonly requests: URL; readonly responses: URL } = {
  requests: new URL('corpus/requests.json', import.meta.url),
  responses: new URL('corpus/responses.json', import.meta.url),
};

/** Bytes as latin1 text; a part with a number is repeated. */
type CorpusBytes = string | readonly (string | readonly [string, number])[];

/** One entry of the frozen corpus: bytes with what Node and the codec make of them. */
export type CorpusEntry = {
  readonly name: string;
  /** Of the request that a response answers; GET where it is absent. */
  readonly method?: 'GET' | 'POST' | 'HEAD';
  readonly bytes: CorpusBytes;
  /** Whether the peer ends its side after the bytes. */
  readonly ending?: 'eof';
  /** What Node reads, in the words of `requestOutcome` or `responseOutcome`. */
  readonly node?: readonly string[];
  /** What the codec reads by itself. */
  readonly codec?: readonly string[];
};

/** Reads a file of the corpus. */
export function readCorpus(file: URL): CorpusEntry[] {
  const entries: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(entries)) throw new Error(`${file.pathname} is not a list`);
  return entries as CorpusEntry[];
}

/** The bytes of an entry. */
export function bytesOf({ bytes }: CorpusEntry): Buffer {
  const parts = typeof bytes === 'string' ? [bytes] : bytes;
  const text = parts.map((part) => (typeof part === 'string' ? part : part[0].repeat(part[1]))).join('');
  return Buffer.from(text, 'latin1');
}

/** The input of an entry, in one piece. */
export function inputOf(entry: CorpusEntry): ResponseInput & Input {
  return { method: entry.method ?? 'GET', pieces: [bytesOf(entry)], ending: entry.ending ?? 'open' };
}

const LONG_CHARS = 60;

function shown(text: string): string {
  return text.length > LONG_CHARS ? `${text.slice(0, LONG_CHARS)}... (${text.length})` : text;
}

function requestLine({ method, target, body, complete, keepAlive }: ReadRequest): string {
  const end = complete ? '' : ', more of it to come';
  return `${method} ${shown(target)} '${shown(body)}'${end}${keepAlive ? '' : ', then close'}`;
}

function condensed(lines: readonly string[]): string[] {
  return lines.length > 10 ? [...lines.slice(0, 2), `... ${lines.length} in all`] : [...lines];
}

/** What Node made of a connection's requests, a line each and one for the end where it refused. */
export function requestOutcome({ messages, refusal }: RequestReading): string[] {
  return [...condensed(messages.map(requestLine)), ...(refusal === undefined ? [] : ['refused'])];
}

/** What the codec made of a connection's requests, a line each and one for the end where it did not keep it. */
export function servedOutcome({ requests, handedOver, closed }: ServedReading): string[] {
  const lines = requests.map(({ request, body }) => {
    const target = request.path + (request.query === '' ? '' : `?${request.query}`);
    const seen = body === undefined ? "'', more of it to come" : `'${shown(body)}'`;
    return `${request.method} ${shown(target)} ${seen}`;
  });
  const end = handedOver === undefined ? (closed ? ['closed'] : []) : ['handed over'];
  return [...condensed(lines), ...end];
}

function responseLine(response: Omit<ReadResponse, 'headers'>): string {
  const end = response.complete ? (response.keepAlive ? ', kept' : ', then close') : ', more of it to come';
  return `${response.status} '${shown(response.body)}'${end}`;
}

/** What Node made of the answer to a request, a line for each message and one for the end where it refused. */
export function responseOutcome({ interim, response, refusal }: ResponseReading): string[] {
  const lines = [...interim.map(() => 'interim'), ...(response ? [responseLine(response)] : [])];
  return [...condensed(lines), ...(refusal === undefined ? [] : ['refused'])];
}

/** The same of the codec. */
export function answeredOutcome({ interims, response, refusal }: AnsweredReading): string[] {
  const lines = [
    ...Array.from({ length: interims }, () => 'interim'),
    ...(response ? [responseLine(response)] : []),
  ];
  return [...condensed(lines), ...(refusal === undefined ? [] : ['refused'])];
}
