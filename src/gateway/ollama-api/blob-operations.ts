import { OLLAMA_DIGEST } from '../../ollama/api/blobs.ts';
import type { ModelPlace } from '../../ollama/control-plane.ts';
import type { FleetBlobs, HostBlobs } from '../../ollama/fleet/fleet-blobs.ts';
import { ObeliskError } from '../../shared/errors.ts';
import type { Call } from '../call.ts';
import { placeQuery } from '../ollama-management/queries.ts';
import { readQuery } from '../ollama-management/read-request.ts';
import { restOfPath } from '../rest-of-path.ts';
import { untilGone } from '../until-gone.ts';

/** Answers `HEAD /api/blobs/{digest}`: whether the host has the bytes of the digest. */
export async function findBlob(call: Call, blobs: FleetBlobs): Promise<void> {
  const digest = digestOf(call);
  const host = blobs.at(placeOf(call));
  if (!(await untilGone(call, (signal) => host.has(digest, signal)))) {
    throw new ObeliskError('not_found', `the host does not have ${digest}`);
  }
  call.send(200, {}, '');
}

/** Answers `POST /api/blobs/{digest}`: hands the body on to the host as it arrives. */
export async function uploadBlob(call: Call, blobs: FleetBlobs): Promise<void> {
  const digest = digestOf(call);
  const host = blobs.at(placeOf(call));
  // Whatever ends the upload ends the reading: the client may send for hours what nobody wants.
  const over = new AbortController();
  try {
    const isNew = await untilGone(call, (signal) =>
      receive(call, { digest, host }, { gone: signal, over: over.signal }),
    );
    call.send(isNew ? 201 : 200, {}, '');
  } finally {
    over.abort();
  }
}

type Upload = { readonly digest: string; readonly host: HostBlobs };
type Ends = { readonly gone: AbortSignal; readonly over: AbortSignal };

/** Whether the bytes are new to the host. */
async function receive({ request }: Call, { digest, host }: Upload, { gone, over }: Ends): Promise<boolean> {
  // Ollama closes the connection on bytes that it has, which looks like a failure from here.
  if (await host.has(digest, gone)) return false;
  const body = request.stream?.(AbortSignal.any([gone, over]));
  if (body === undefined) throw new ObeliskError('unsupported', 'files cannot be uploaded this way');
  await host.upload({ digest, bytes: body.bytes, open: () => body.open() }, gone);
  return true;
}

/** Which host a request means: `?host=`. */
export function placeOf(call: Call): ModelPlace {
  return readQuery(call, placeQuery());
}

/** In Ollama's words, which its clients show. */
function digestOf(call: Call): string {
  const digest = restOfPath(call);
  if (OLLAMA_DIGEST.test(digest)) return digest;
  const message = 'invalid digest format: write sha256: and 64 hexadecimal digits in lower case';
  throw new ObeliskError('invalid_request', message, { param: 'digest' });
}
