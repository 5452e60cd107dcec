import type { Behaviour, ServedReading, ServedRequest } from './codec-server.ts';
import { readWithCodecServer } from './codec-server.ts';
import { differs, fieldsOf } from './header-fields.ts';
import type { Input, ReadRequest } from './reading.ts';
import type { RequestOracle } from './request-oracle.ts';

/** Every name the codec could have taken for that of a field. */
function namesIn(bytes: Buffer): Set<string> {
  return new Set(
    bytes
      .toString('latin1')
      .toLowerCase()
      .split(/[\s:]+/),
  );
}

/** How a request as the codec served it differs from what Node read; undefined where it does not. */
function differenceOf(
  served: ServedRequest,
  read: ReadRequest | undefined,
  names: ReadonlySet<string>,
): string | undefined {
  const { request, body } = served;
  const target = request.path + (request.query === '' ? '' : `?${request.query}`);
  if (read === undefined) return `the codec serves ${request.method} ${target}, which Node refuses`;
  if (request.method !== read.method) return differs('the method', request.method, read.method);
  // An empty query is no query.
  if (target !== read.target.replace(/^([^?]*)\?$/, '$1')) return differs('the target', target, read.target);
  if (read.version !== '1.1') return differs('the version', '1.1', read.version);
  if (!read.keepAlive) return differs('keep-alive', true, false);
  const fields = fieldsOf(read.headers);
  for (const name of [...names, ...fields.keys()]) {
    if (request.header(name) !== fields.get(name)) {
      return differs(`the field ${name}`, request.header(name), fields.get(name));
    }
  }
  if (body !== undefined && !read.complete) return differs('the end of the body', body, 'not reached');
  if (body !== undefined && body !== read.body) return differs('the body', body, read.body);
  return undefined;
}

/** One connection's bytes and how they are served. */
export type RequestCase = Input & { readonly behaviour: Behaviour };

/**
 * Compares the codec's server, with node:http behind it for what it hands over, to node:http alone.
 *
 * @returns The first difference in words; undefined where every request is framed the same and nothing is
 *   accepted that Node refuses.
 */
export async function requestDisagreement(
  oracle: RequestOracle,
  input: RequestCase,
): Promise<string | undefined> {
  const served = await readWithCodecServer(input, input.behaviour);
  // In one piece: what Node does with a request to upgrade, which it ignores, depends on the cuts.
  const whole = Buffer.concat(input.pieces);
  const node = oracle.read({ pieces: [whole], ending: input.ending });
  const names = namesIn(whole);
  for (const [index, request] of served.requests.entries()) {
    const difference = differenceOf(request, node.messages[index], names);
    if (difference !== undefined) return `request ${index + 1}: ${difference}`;
  }
  return remainderDifference(oracle, { input, served, node });
}

function remainderDifference(
  oracle: RequestOracle,
  {
    input,
    served,
    node,
  }: { input: RequestCase; served: ServedReading; node: ReturnType<RequestOracle['read']> },
): string | undefined {
  const left = node.messages.slice(served.requests.length);
  if (served.handedOver !== undefined) {
    const rest = oracle.read({ pieces: [served.handedOver], ending: input.ending });
    if (JSON.stringify(rest.messages) !== JSON.stringify(left)) {
      return `handed over after ${served.requests.length}: Node reads ${JSON.stringify(rest.messages)} instead of ${JSON.stringify(left)}`;
    }
    if ((rest.refusal === undefined) !== (node.refusal === undefined)) {
      return `handed over after ${served.requests.length}: the end is ${rest.refusal} instead of ${node.refusal}`;
    }
    return undefined;
  }
  if (served.closed) return undefined;
  const last = served.requests.at(-1);
  const unfinished = input.behaviour !== 'ignores' && last !== undefined && last.body === undefined;
  if (left.length > 0) return `the codec waits where Node reads on: ${JSON.stringify(left)}`;
  if (node.refusal !== undefined && !unfinished) return `the codec waits where Node says ${node.refusal}`;
  return undefined;
}
