/** Connections that cannot be made, or break before the head of an answer. */
import { EXPIRED, TRUSTED } from '../../certificates.ts';
import { close, reset, send } from '../../upstream.ts';
import { alone, always, answer, error } from './fault-case.ts';
import type { DeploymentScript, Server, UpstreamRow } from './fault-case.ts';
import { wholeAnswer } from './speech.ts';
import type { Setting } from './speech.ts';

const HELLO = answer('Hello there!');
const unreachable = always(error(502, 'upstream_unreachable'));
const invalid = always(error(502, 'upstream_invalid'));

const behind = (server: Server) => (): readonly DeploymentScript[] => [{ server }];
const tls =
  (certificate: string, host = 'localhost') =>
  (at: Setting) => [{ server: { kind: 'tls', certificate, host, chat: [send(wholeAnswer(at))] } as const }];

/** Asking Ollama what a model is leaves a kept connection, under which the first chat is sent again. */
const RESENT = { resent: 1 };

/** Rows 2 to 6 with one deployment. */
export const CONNECTION_ROWS: readonly UpstreamRow[] = [
  {
    row: 2,
    fault: 'connection refused, host unreachable',
    sees: 'An error that names the address and asks whether something runs there.',
    cases: [
      {
        name: 'nothing listens on the port',
        deployments: behind({ kind: 'refusing' }),
        expect: unreachable,
        says: /http:\/\/127\.0\.0\.1:\d+\S* did not answer \(ECONNREFUSED\); is it running/,
        attempts: [0, 0],
      },
      {
        name: 'no route to the host',
        // A broadcast address is refused by every system's own routing, at once.
        deployments: behind({ kind: 'elsewhere', origin: 'http://255.255.255.255:9' }),
        expect: unreachable,
        says: /255\.255\.255\.255:9/,
        attempts: [0, 0],
      },
    ],
  },
  {
    row: 3,
    fault: 'the name of the host does not resolve',
    sees: 'As 2, asking whether the name is right.',
    cases: [
      {
        name: 'the name does not exist',
        deployments: behind({ kind: 'elsewhere', origin: 'http://gone.absent.test:8000' }),
        expect: unreachable,
        says: /gone\.absent\.test.*is the host name right\?/,
        attempts: [0, 0],
      },
      {
        name: 'nobody answers the look-up',
        deployments: behind({ kind: 'elsewhere', origin: 'http://slow.never.test:8000' }),
        expect: unreachable,
        says: /slow\.never\.test.*accepted no connection within/,
        attempts: [0, 0],
      },
    ],
  },
  {
    row: 4,
    fault: 'TLS that cannot be trusted',
    sees: 'An error with the reason; the key is never sent, nothing is retried in plain text.',
    cases: [
      {
        name: 'a certificate that is in order',
        deployments: tls(TRUSTED),
        expect: always(HELLO),
      },
      {
        name: 'a certificate that has expired',
        deployments: tls(EXPIRED),
        expect: invalid,
        says: /CERT_HAS_EXPIRED/,
        attempts: [0, 0],
      },
      {
        name: 'a certificate for another name',
        deployments: tls(TRUSTED, 'host.other.test'),
        expect: invalid,
        says: /ERR_TLS_CERT_ALTNAME_INVALID/,
        attempts: [0, 0],
      },
      {
        name: 'plain HTTP where TLS was expected',
        deployments: behind({ kind: 'plain behind https' }),
        expect: invalid,
        says: /TLS/,
        attempts: [0, 0],
      },
    ],
  },
  {
    row: 6,
    fault: 'reset or close before the head of the answer',
    sees: 'It is sent to another deployment, or where there is none once more on a fresh connection; where that breaks too, as 2.',
    cases: [
      {
        name: 'a reset each time',
        ...RESENT,
        deployments: alone(() => [reset]),
        expect: unreachable,
        says: /did not answer/,
        attempts: [2, 3],
      },
      {
        name: 'a clean close each time',
        ...RESENT,
        deployments: alone(() => [close]),
        expect: unreachable,
        says: /did not answer/,
        attempts: [2, 3],
      },
      {
        name: 'a reset once, then an answer',
        ...RESENT,
        deployments: alone((at, _request, index) => (index === 0 ? [reset] : [send(wholeAnswer(at))])),
        expect: always(HELLO),
        attempts: [2, 2],
      },
      {
        name: 'a kept connection that is reset by its second request',
        deployments: alone((at, request, index) =>
          index === 1 && request.connection < 2 ? [reset] : [send(wholeAnswer(at))],
        ),
        expect: () => [HELLO, HELLO],
        attempts: [3, 3],
        resent: 1,
      },
      {
        name: 'a close in the middle of the head',
        deployments: alone(() => [send('HTTP/1.1 200 OK\r\ncontent-ty'), close]),
        expect: unreachable,
        attempts: [1, 3],
      },
    ],
  },
];
