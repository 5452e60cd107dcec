import type { LoadedConfig, Settings } from '../config/settings.ts';
import type { OllamaHostSettings } from '../shared/ollama-hosts.ts';
import { isObeliskError } from '../shared/errors.ts';
import { createUpstreamClient } from '../wire/upstream-client.ts';
import { EXIT, loadFrom, printJson, styleOf } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import {
  checkClock,
  checkConfig,
  checkDataDir,
  checkIndexes,
  checkNode,
  checkPort,
  checkVaults,
} from './doctor-checks.ts';
import type { Finding, MachinePorts } from './doctor-checks.ts';
import { createMachinePorts, createUpstreamPorts } from './doctor-ports.ts';
import { checkEnvironments } from './doctor-environment.ts';
import { checkLitellm, checkOllama } from './doctor-upstreams.ts';
import type { UpstreamPorts } from './doctor-upstreams.ts';
import { seeHost } from './ollama-env.ts';
import type { SeenHost } from './ollama-env.ts';
import { withoutControls } from './style.ts';

/** `obelisk doctor`: everything a newcomer can have wrong, and what to do. */
export const doctorCommand: Command = {
  spec: {
    name: 'doctor',
    summary: 'Check everything that can be wrong and say what to do',
    options: {},
    notes: [
      'Only a missing data directory is made. Exit code 1 means that something has failed; warnings do not count.',
    ],
    examples: ['obelisk doctor', 'obelisk doctor --config team.yaml --json'],
  },
  run: doctor,
};

async function doctor(context: CommandContext): Promise<number> {
  const client = createUpstreamClient();
  try {
    const machine = createMachinePorts(client);
    const findings = await examine(context, {
      machine,
      upstreams: createUpstreamPorts(client),
      see: (host) => seeHost(host, context, client),
    });
    report(context, findings);
    return findings.some((finding) => finding.status === 'fail') ? EXIT.failure : EXIT.ok;
  } finally {
    await client.close();
  }
}

type Ports = {
  readonly machine: MachinePorts;
  readonly upstreams: UpstreamPorts;
  readonly see: (host: OllamaHostSettings) => Promise<SeenHost>;
};

async function examine(
  context: CommandContext,
  { machine, upstreams, see }: Ports,
): Promise<readonly Finding[]> {
  const basics = [checkNode(machine), checkClock(machine)];
  const config = tryLoad(context);
  if ('status' in config) return [...basics, config];
  const { settings } = config;
  const groups = await Promise.all<readonly Finding[]>([
    checkDataDir(settings, machine).then(toList),
    checkPort(settings, machine).then(toList),
    checkVaults(settings, machine),
    checkIndexes(settings, machine),
    checkOllama(settings, upstreams),
    checkEnvironments(settings, see),
    checkLitellm(settings, upstreams),
  ]);
  return [...basics, ...checkConfig(config), ...groups.flat(), checkWriter(settings)];
}

function toList(finding: Finding): readonly Finding[] {
  return [finding];
}

/** Without a configuration nothing else can be checked; its own message says what to correct. */
function tryLoad(context: CommandContext): LoadedConfig | Finding {
  try {
    return loadFrom(context);
  } catch (error) {
    if (!isObeliskError(error)) throw error;
    const remedy = 'correct it, then run obelisk doctor again: the other checks need it';
    return { check: 'configuration', status: 'fail', message: error.message, remedy };
  }
}

function checkWriter({ providers, rag }: Settings): Finding {
  const named = rag.model ?? providers.ollama.defaultModel;
  const message = named === undefined ? 'the default local model, or quotes from your notes' : named;
  return { check: 'writer of answers', status: 'ok', message };
}

function report(context: CommandContext, findings: readonly Finding[]): void {
  if (context.arguments.has('json')) {
    printJson(context, { ok: !findings.some((finding) => finding.status === 'fail'), findings });
    return;
  }
  const style = styleOf(context);
  const marks = { ok: style.green('ok  '), warn: style.yellow('warn'), fail: style.red('FAIL') };
  for (const { check, status, message, remedy } of findings) {
    const text = withoutControls(message).replaceAll('\n', '\n     ');
    context.terminal.stdout.write(`${marks[status]} ${style.bold(check)}: ${text}\n`);
    if (remedy !== undefined) context.terminal.stdout.write(`     → ${remedy}\n`);
  }
}
