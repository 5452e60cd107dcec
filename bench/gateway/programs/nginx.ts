import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completion, streamEvent } from '../bodies.ts';
import { startProgram } from '../processes.ts';
import type { Place, Program } from '../processes.ts';

/** Longest text that one parameter of nginx's configuration may hold is 4,096 bytes. */
const PARAMETER_BYTES = 3_900;

/** About what the head of a held stream takes: the rate is limited behind it and the first event. */
const HELD_HEAD_BYTES = 200;

function startNginx(name: string, http: string, place: Place): Promise<Program> {
  const { port, directory } = place;
  const file = join(directory, `${name}.conf`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory};`,
  );
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; worker_rlimit_nofile 20000;
error_log ${file}.log; pid ${file}.pid;
events { worker_connections 10000; }
http {
access_log off; keepalive_requests 100000000; keepalive_timeout 600s; reset_timedout_connection on;
client_body_buffer_size 256k; client_max_body_size 16m; ${paths.join(' ')}
${http.replace('PORT', `127.0.0.1:${port} backlog=4096`)}
}`,
  );
  return startProgram(name, { command: ['nginx', '-e', `${file}.log`, '-c', file] }, place);
}

/** A text of any length as parameters that are short enough. */
function longReturn(text: string): string {
  const pieces = text.match(new RegExp(`.{1,${PARAMETER_BYTES}}`, 'gs')) ?? [];
  const sets = pieces.map((piece, index) => `set $piece${index}_ '${piece}';`);
  const names = pieces.map((_, index) => `$piece${index}_`);
  return `${sets.join(' ')} return 200 '${names.join('')}';`;
}

/** Nginx as the upstream: answers every request with the same completion of about so many bytes. */
export function startMock(answerBytes: number, place: Place): Promise<Program> {
  const answer = `default_type application/json; ${longReturn(completion(answerBytes))}`;
  return startNginx(`mock-${answerBytes}`, `server { listen PORT; location / { ${answer} } }`, place);
}

/**
 * Nginx as the upstream of streams that send one event and are then held open: a file whose rest goes
 * out at a byte a second, as the inside of a comment. It is there for bursts, where a mock in Node
 * would be what is waited for.
 */
export function startHeldMock(place: Place): Promise<Program> {
  const event = streamEvent({ role: 'assistant', content: '' }, null);
  writeFileSync(join(place.directory, 'held.txt'), `${event}: ${'.'.repeat(4_000)}`);
  const http = `types { text/event-stream txt; } server_tokens off; postpone_output 0;
open_file_cache max=10 inactive=600s; open_file_cache_valid 600s;
server {
  listen PORT; root ${place.directory};
  location / { error_page 405 =200 /held.txt; return 405; }
  # A file that may hold includes has no known length, so that it is sent in chunks, as streams are.
  location = /held.txt { ssi on; ssi_types text/event-stream; limit_rate 1; limit_rate_after ${HELD_HEAD_BYTES + event.length}; }
}`;
  return startNginx('mock-held', http, place);
}

/** What kind of answers a proxy is set up for. */
export type ProxyUse = 'json' | 'streams';

/** Whole answers may be read ahead of a slow client, up to 128 KB in memory; a stream passes at once. */
const BUFFERING: Readonly<Record<ProxyUse, string>> = {
  json: 'proxy_buffers 8 16k; proxy_buffer_size 16k; proxy_busy_buffers_size 64k;',
  streams: 'proxy_buffering off;',
};

/** Nginx as a plain reverse proxy with keep-alive: the measure of all things here. */
export function startNginxProxy(upstream: string, place: Place, use: ProxyUse): Promise<Program> {
  const http = `upstream mock { server ${new URL(upstream).host}; keepalive 256; keepalive_requests 100000000; }
server {
  listen PORT;
  location / {
    proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
    ${BUFFERING[use]} proxy_read_timeout 600s;
  }
}`;
  return startNginx('nginx', http, place);
}
