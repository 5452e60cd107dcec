import type { AnsweredReading } from './codec-client.ts';
import { readWithCodecClient } from './codec-client.ts';
import { differs, fieldsOf } from './header-fields.ts';
import type { ReadResponse, ResponseInput, ResponseReading } from './reading.ts';
import type { ResponseOracle } from './response-oracle.ts';

function headDifference(
  codec: NonNullable<AnsweredReading['response']>,
  node: ReadResponse,
): string | undefined {
  if (codec.status !== node.status) return differs('the status', codec.status, node.status);
  const fields = fieldsOf(node.headers);
  const names = new Set([...fields.keys(), ...Object.keys(codec.headers)]);
  // No object can hold a field of this name as its own by assignment; Node drops it in the same way.
  names.delete('__proto__');
  for (const name of names) {
    const value = Object.hasOwn(codec.headers, name) ? codec.headers[name] : undefined;
    if (value !== fields.get(name)) return differs(`the field ${name}`, value, fields.get(name));
  }
  return undefined;
}

function bodyDifference(
  method: ResponseInput['method'],
  codec: NonNullable<AnsweredReading['response']>,
  node: ReadResponse,
): string | undefined {
  // What was passed on before the codec refused the rest, or while it waits for the rest of a line.
  if (!node.body.startsWith(codec.body)) return differs('the body', codec.body, node.body);
  if (!codec.complete) return undefined;
  if (!node.complete) return differs('the end of the body', codec.body, 'not reached');
  if (codec.body !== node.body) return differs('the body', codec.body, node.body);
  // Node closes after the answer to a HEAD that gives no length, although nothing can follow it.
  if (codec.keepAlive && !node.keepAlive && method !== 'HEAD') return differs('keep-alive', true, false);
  return undefined;
}

function difference(
  method: ResponseInput['method'],
  codec: AnsweredReading,
  node: ResponseReading,
): string | undefined {
  const { response } = codec;
  if (codec.interims > node.interim.length) return differs('interim answers', codec.interims, node.interim);
  if (response === undefined) return undefined;
  if (node.response === undefined) {
    return `the codec accepts ${response.status} where Node says ${node.refusal ?? 'nothing'}`;
  }
  if (codec.interims !== node.interim.length) return differs('interim answers', codec.interims, node.interim);
  return headDifference(response, node.response) ?? bodyDifference(method, response, node.response);
}

/** The bytes of an answer, and what the same connection carried before (a name in `EARLIER`). */
export type ResponseCase = ResponseInput & { readonly earlier: string };

/**
 * Compares the codec's client to Node's.
 *
 * @returns The first difference in words; undefined where the codec passes nothing on that Node does not,
 *   and ends no response where Node does not end it.
 */
export async function responseDisagreement(
  oracle: ResponseOracle,
  input: ResponseCase,
): Promise<string | undefined> {
  const codec = await readWithCodecClient(input, input.earlier);
  const whole = { ...input, pieces: [Buffer.concat(input.pieces)] };
  return difference(input.method, codec, await oracle.read(whole));
}
