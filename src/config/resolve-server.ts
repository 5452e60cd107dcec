import { ObeliskError } from '../shared/errors.ts';
import type { ConfigFile } from './config-file.ts';
import type { ConfigInputs } from './config-inputs.ts';
import { TRANSPORTS } from './file-schema.ts';
import { asOneOf } from './pick.ts';
import type { Picker } from './pick.ts';
import { hostProblem } from './safe-bind.ts';
import type { Settings } from './settings.ts';

/**
 * Chooses how the server listens.
 * @throws ObeliskError `config_invalid` for a wrong environment variable or flag.
 */
export function resolveServer(file: ConfigFile, picker: Picker, inputs: ConfigInputs): Settings['server'] {
  const { server = {} } = file;
  const { flags } = inputs;
  return {
    host: withoutBrackets(
      picker.pick(
        'server.host',
        [
          picker.flag('--host', checkedHost(flags.host)),
          picker.file(['server', 'host'], server.host),
          picker.variable(['OBELISK_HOST'], asHost),
        ],
        '127.0.0.1',
      ),
    ),
    port: picker.pick(
      'server.port',
      [
        picker.flag('--port', flags.port),
        picker.file(['server', 'port'], server.port),
        picker.variable(['OBELISK_PORT'], asPort),
      ],
      4000,
    ),
    allowedHosts: picker.pick(
      'server.allowed_hosts',
      [picker.file(['server', 'allowed_hosts'], server.allowed_hosts)],
      [],
    ),
    allowedOrigins: picker.pick(
      'server.allowed_origins',
      [picker.file(['server', 'allowed_origins'], server.allowed_origins)],
      [],
    ),
    transport: picker.pick(
      'server.transport',
      [
        picker.file(['server', 'transport'], server.transport),
        picker.variable(['OBELISK_TRANSPORT'], asOneOf(TRANSPORTS)),
      ],
      'codec',
    ),
    timeouts: resolveTimeouts(file, picker),
    drainMs: 1_000 * picker.pick('server.drain', [picker.file(['server', 'drain'], server.drain)], 30),
  };
}

function resolveTimeouts(file: ConfigFile, picker: Picker): Settings['server']['timeouts'] {
  const timeouts = file.server?.timeouts ?? {};
  const milliseconds = (key: keyof typeof timeouts, fallback: number): number => {
    const path = ['server', 'timeouts', key];
    return 1_000 * picker.pick(path.join('.'), [picker.file(path, timeouts[key])], fallback);
  };
  return {
    headersMs: milliseconds('headers', 10),
    bodyMs: milliseconds('body', 60),
    keepAliveMs: milliseconds('keep_alive', 65),
    stalledMs: milliseconds('stalled', 60),
  };
}

function checkedHost(host: string | undefined): string | undefined {
  const problem = host === undefined ? undefined : hostProblem(host);
  if (problem !== undefined) throw new ObeliskError('config_invalid', `--host ${problem}`);
  return host;
}

function asHost(text: string): { readonly value: string } | { readonly problem: string } {
  const problem = hostProblem(text);
  return problem === undefined ? { value: text } : { problem };
}

/** Brackets belong to URLs; a socket wants the bare address. */
function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function asPort(text: string): { readonly value: number } | { readonly problem: string } {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Infinity;
  return value <= 65_535 ? { value } : { problem: 'must be a whole number from 0 to 65535' };
}
