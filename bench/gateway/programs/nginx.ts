import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completion } from '../bodies.ts';
import { startProgram } from '../processes.ts';
import type { Place, Program } from '../processes.ts';

/** Longest text that one parameter of nginx's configuration may hold is 4,096 bytes. */
const PARAMETER_BYTES = 3_900;

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

/** Nginx as a plain reverse proxy with keep-alive: the measure of all things here. */
export function startNginxProxy(upstream: string, place: Place): Promise<Program> {
  const http = `upstream mock { server ${new URL(upstream).host}; keepalive 256; keepalive_requests 100000000; }
server {
  listen PORT;
  location / {
    proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
    proxy_buffering off; proxy_buffer_size 16k; proxy_read_timeout 600s;
  }
}`;
  return startNginx('nginx', http, place);
}
