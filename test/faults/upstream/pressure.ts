/** Upstreams and clients of different speed. */
import { chunk, head, lastChunk } from '../../upstream-scripts.ts';
import { close, send } from '../../upstream.ts';
import { alone, always, answer, broken } from './fault-case.ts';
import type { UpstreamRow } from './fault-case.ts';
import { speechOf } from './speech.ts';
import type { Setting } from './speech.ts';

/** More than the kernel's buffers and the gateway's own hold together. */
const LONG: readonly string[] = Array.from({ length: 160 }, () => 'x'.repeat(64 * 1024));
const STALLED_MS = 700;

/** A body in chunks on a connection that ends with it. */
function closing(at: Setting, parts: readonly string[], end: string): string {
  const { contentType } = speechOf(at);
  const headers = { 'content-type': contentType, 'transfer-encoding': 'chunked', connection: 'close' };
  return head(200, headers) + parts.map(chunk).join('') + end;
}

/** Row 1, and what row 28 is about; that one is run by a test of its own. */
export const PRESSURE_ROWS: readonly UpstreamRow[] = [
  {
    row: 1,
    fault: 'the connection ends while its reader waits',
    sees: 'The answer where it was complete, an error where it was not; the process lives.',
    cases: [
      {
        name: 'the client takes nothing for a while, and the upstream closes behind a whole answer',
        deployments: alone((at) => [send(closing(at, speechOf(at).body(LONG), lastChunk)), close]),
        expect: always(answer(LONG.join(''))),
        stalledMs: STALLED_MS,
        deadlineMs: 15_000,
        heavy: true,
      },
      {
        name: 'the client takes nothing for a while, and the upstream closes behind half an answer',
        deployments: alone((at) => [send(closing(at, [speechOf(at).unfinished(LONG)], lastChunk)), close]),
        expect: broken(502, 'upstream_invalid', LONG.join('')),
        stalledMs: STALLED_MS,
        deadlineMs: 15_000,
        heavy: true,
      },
      {
        name: 'the client takes nothing for a while, and the upstream closes inside a chunk',
        deployments: alone((at) => [send(closing(at, [speechOf(at).unfinished(LONG)], 'ff\r\nx')), close]),
        expect: broken(502, 'upstream_unreachable', LONG.join('')),
        stalledMs: STALLED_MS,
        deadlineMs: 15_000,
        heavy: true,
      },
    ],
  },
  {
    row: 28,
    fault: 'hundreds of streams at once, of slow upstreams and to slow clients',
    sees: 'Every answer, in its time; memory stays flat: a slow side makes the other wait.',
    cases: [],
  },
];
