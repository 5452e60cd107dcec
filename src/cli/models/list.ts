import type { FleetModel, HostView, LoadedModel } from '../../ollama/control-plane.ts';
import { EXIT, printJson, styleOf } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { withControl } from '../open-control.ts';
import { toBytes, toDuration } from '../../shared/quantities.ts';
import { withoutControls } from '../style.ts';
import { toTable } from '../table.ts';

/** `obelisk models list`: what is installed on the hosts of Ollama. */
export const listCommand: Command = {
  spec: {
    name: 'models list',
    summary: 'List the installed models and which hosts have them',
    options: {},
    notes: [
      'A host that has a model loaded is marked with *.',
      'Every name that can be asked for, models of other providers and vaults included: obelisk models',
    ],
    examples: ['obelisk models list', 'obelisk models list --json'],
  },
  run: (context) =>
    withControl(context, async ({ control }) => {
      const models = await control.models();
      if (context.arguments.has('json')) printJson(context, models);
      else printModels(context, models);
      return EXIT.ok;
    }),
};

function printModels(context: CommandContext, models: readonly FleetModel[]): void {
  const header = ['NAME', 'DIGEST', 'SIZE', 'CONTEXT', 'MODIFIED', 'HOSTS', 'CAPABILITIES'];
  const rows = models.map((model) => [
    withoutControls(model.name),
    model.digest.slice(0, 12) || '-',
    model.remoteHost === undefined ? toBytes(model.sizeBytes) : 'elsewhere',
    model.contextLength === undefined ? '-' : String(model.contextLength),
    model.modifiedAt.slice(0, 10) || '-',
    withoutControls(model.hosts.map(({ host, loaded }) => (loaded ? `${host}*` : host)).join(', ')),
    withoutControls(capabilitiesOf(model)),
  ]);
  context.terminal.stdout.write(toTable([header.map(styleOf(context).bold), ...rows]));
}

function capabilitiesOf({ capabilities, remoteHost }: FleetModel): string {
  const all = [
    ...capabilities,
    ...(remoteHost === undefined ? [] : [`leaves this machine for ${remoteHost}`]),
  ];
  return all.join(', ') || '-';
}

/** `obelisk models ps`: what is loaded. */
export const runningCommand: Command = {
  spec: {
    name: 'models ps',
    summary: 'List the loaded models',
    options: {},
    notes: ['GPU is the part of a model’s memory that is on a graphics card.'],
    examples: ['obelisk models ps', 'obelisk models ps --json'],
  },
  run: (context) =>
    withControl(context, async ({ control }) => {
      // Every host is looked at for it.
      await control.models();
      const rows = (await control.hosts()).flatMap((host) => host.loaded.map((model) => ({ host, model })));
      if (context.arguments.has('json')) {
        printJson(
          context,
          rows.map(({ host, model }) => ({ host: host.name, ...model })),
        );
        return EXIT.ok;
      }
      const header = ['NAME', 'HOST', 'STATE', 'SIZE', 'GPU', 'CONTEXT', 'IN FLIGHT', 'QUEUED', 'UNTIL'];
      const lines = rows.map(({ host, model }) => toRow(host, model));
      context.terminal.stdout.write(toTable([header.map(styleOf(context).bold), ...lines]));
      return EXIT.ok;
    }),
};

function toRow(host: HostView, model: LoadedModel): readonly string[] {
  const share = model.sizeBytes === 0 ? 0 : model.vramBytes / model.sizeBytes;
  return [
    withoutControls(model.model),
    withoutControls(host.name),
    model.state,
    toBytes(model.sizeBytes),
    `${Math.round(share * 100)}%`,
    model.contextLength === undefined ? '-' : String(model.contextLength),
    String(model.inFlight),
    String(model.queued),
    untilOf(model.expiresAt),
  ];
}

/** Ollama writes "for ever" as a moment centuries away. */
function untilOf(expiresAt: string | undefined): string {
  const secondsLeft = (Date.parse(expiresAt ?? '') - Date.now()) / 1_000;
  if (Number.isNaN(secondsLeft)) return '-';
  if (secondsLeft > 3_650 * 86_400) return 'for ever';
  return secondsLeft <= 0 ? 'ending' : toDuration(secondsLeft);
}
