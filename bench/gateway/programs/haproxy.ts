import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../processes.ts';
import type { Place, Program } from '../processes.ts';

/** HAProxy as a plain reverse proxy on one thread, which reuses connections and holds nothing back. */
export function startHaproxy(upstream: string, place: Place): Promise<Program> {
  const file = join(place.directory, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
  nbthread 1
  maxconn 6000
defaults
  mode http
  option http-no-delay
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend clients
  bind 127.0.0.1:${place.port} backlog 4096
  default_backend mock
backend mock
  server mock ${new URL(upstream).host} pool-max-conn 256
`,
  );
  return startProgram('haproxy', { command: ['haproxy', '-db', '-f', file] }, place);
}
