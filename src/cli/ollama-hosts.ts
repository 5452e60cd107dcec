import type { HostView } from '../ollama/control-plane.ts';
import { EXIT, printJson, styleOf } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { withControl } from './open-control.ts';
import { toBytes } from '../shared/quantities.ts';
import { withoutControls } from './style.ts';
import { toTable } from './table.ts';

/** `obelisk ollama hosts`: every host of Ollama and what it has loaded. */
export const ollamaHostsCommand: Command = {
  spec: {
    name: 'ollama hosts',
    summary: 'Show the hosts of Ollama, or drain one',
    options: {
      drain: { value: 'HOST', description: 'Give a host no new requests' },
      undrain: { value: 'HOST', description: 'Give it requests again' },
    },
    notes: ['MEMORY is what loaded models take, of what the host has for them where that is known.'],
    examples: [
      'obelisk ollama hosts',
      'obelisk ollama hosts --drain workstation',
      'obelisk ollama hosts --json',
    ],
  },
  run: (context) =>
    withControl(context, async ({ control }) => {
      const { arguments: given } = context;
      for (const host of given.texts('drain')) await control.drain(host, true);
      for (const host of given.texts('undrain')) await control.drain(host, false);
      printHosts(context, await control.hosts());
      return EXIT.ok;
    }),
};

function printHosts(context: CommandContext, hosts: readonly HostView[]): void {
  if (context.arguments.has('json')) {
    printJson(context, hosts);
    return;
  }
  const { stdout, stderr } = context.terminal;
  const header = ['HOST', 'STATE', 'VERSION', 'MODELS', 'LOADED', 'MEMORY', 'IN FLIGHT', 'QUEUED', 'URL'];
  stdout.write(toTable([header.map(styleOf(context).bold), ...hosts.map(toRow)]));
  for (const host of hosts) {
    const name = withoutControls(host.name);
    if (host.reason !== undefined) stderr.write(`${name}: ${withoutControls(host.reason)}\n`);
    for (const warning of host.warnings) stderr.write(`${name}: ${withoutControls(warning)}\n`);
  }
}

function toRow(host: HostView): readonly string[] {
  const sum = (value: 'inFlight' | 'queued'): string =>
    String(host.loaded.reduce((total, model) => total + model[value], 0));
  const used = toBytes(host.memoryUsedBytes);
  return [
    withoutControls(host.name),
    host.draining ? `${host.state}, draining` : host.state,
    withoutControls(host.version ?? '-'),
    String(host.models),
    String(host.loaded.filter(({ state }) => state === 'loaded').length),
    host.memoryBytes === undefined ? used : `${used} of ${toBytes(host.memoryBytes)}`,
    sum('inFlight'),
    sum('queued'),
    withoutControls(host.url),
  ];
}
