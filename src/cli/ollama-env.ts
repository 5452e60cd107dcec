import type { OllamaHostSettings } from '../shared/ollama-hosts.ts';
import { createOllamaClient } from '../ollama/api/client.ts';
import { checkEnvironment } from '../ollama/environment/check-environment.ts';
import type { EnvironmentFinding } from '../ollama/environment/environment-finding.ts';
import { findVariable } from '../ollama/environment/environment-variables.ts';
import { findHostEnvironment } from '../ollama/environment/host-environment.ts';
import type { HostEnvironment } from '../ollama/environment/machine-look.ts';
import { readValue } from '../ollama/environment/read-value.ts';
import { strayFindings } from '../ollama/environment/stray-variables.ts';
import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import type { UpstreamClient } from '../wire/upstream.ts';
import { createUpstreamClient } from '../wire/upstream-client.ts';
import { EXIT, loadFrom, printJson, usageError } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { createMachineLook } from './machine-look.ts';
import { printFragments } from './ollama-env-fragments.ts';
import { printEnvironments, printVariable } from './ollama-env-report.ts';

/** What is known of the environment of one host. */
export type SeenHost = {
  readonly host: string;
  readonly url: string;
  readonly version?: string;
  /** Why it does not answer. */
  readonly away?: string;
  readonly environment: HostEnvironment;
  readonly findings: readonly EnvironmentFinding[];
};

/** `obelisk ollama env`: shows, explains and checks the environment of the servers, or prints how to set it. */
export const ollamaEnvCommand: Command = {
  spec: {
    name: 'ollama env',
    summary: 'Show what Ollama servers were started with, and what of it does nothing',
    positionals: '[NAME | NAME=VALUE …]',
    options: {
      host: { value: 'NAME', description: 'Only this host of the configuration' },
      all: { description: 'Also the variables that are not set' },
      for: {
        value: 'KIND',
        description: 'How Ollama is started: systemd, compose, launchd, windows, shell or all',
      },
    },
    notes: [
      'It shows the environment of each server as far as this machine can see it.',
      'With NAME it explains a variable; with NAME=VALUE it prints what to write where, and changes nothing.',
    ],
    examples: [
      'obelisk ollama env',
      'obelisk ollama env OLLAMA_KV_CACHE_TYPE',
      'obelisk ollama env OLLAMA_NUM_PARALLEL=2 OLLAMA_FLASH_ATTENTION=1 --for compose',
    ],
  },
  run: showEnvironment,
};

async function showEnvironment(context: CommandContext): Promise<number> {
  const given = context.arguments.positionals;
  const wanted = given.filter((text) => text.includes('='));
  if (wanted.length > 0) {
    if (wanted.length < given.length) {
      return usageError(context, 'ollama env', 'give names alone, or NAME=VALUE alone');
    }
    return printFragments(context, wanted);
  }
  const seen = await seeHosts(context);
  if (context.arguments.has('json')) {
    printJson(context, {
      hosts: seen.map(toJson),
      ...(given.length === 0 ? {} : { variables: given.map(findVariable) }),
    });
    return EXIT.ok;
  }
  if (given.length === 0) {
    printEnvironments(context, seen);
    return EXIT.ok;
  }
  const unknown = given.filter((name) => !printVariable(context, name, seen));
  return unknown.length === 0 ? EXIT.ok : EXIT.failure;
}

async function seeHosts(context: CommandContext): Promise<readonly SeenHost[]> {
  const { settings } = loadFrom(context);
  const { hosts } = settings.providers.ollama;
  const only = context.arguments.text('host');
  const chosen = hosts.filter(({ name }) => only === undefined || name === only);
  if (chosen.length === 0) {
    const names = hosts.map(({ name }) => name).join(', ');
    throw new ObeliskError('not_found', `no host is called ${only ?? ''}; there is ${names}`);
  }
  const upstream = createUpstreamClient();
  try {
    return await Promise.all(chosen.map((host) => seeHost(host, context, upstream)));
  } finally {
    await upstream.close();
  }
}

/** Looks at one host: what it says of itself, and what this machine can see of it. */
export async function seeHost(
  host: OllamaHostSettings,
  context: Pick<CommandContext, 'terminal'>,
  upstream: UpstreamClient,
): Promise<SeenHost> {
  const { platform, environment: own } = context.terminal;
  const [answer, environment] = await Promise.all([
    askVersion(host, upstream),
    findHostEnvironment(host.url, createMachineLook(platform)),
  ]);
  const look = {
    values: environment.values,
    platform: environment.source === 'container' ? 'linux' : platform,
    // Where nothing can be seen, what is not set is not known either.
    ...(environment.source === 'unknown' ? {} : { parallel: host.parallel }),
    findsOutParallel: host.parallelIsDefault === true,
    isInContainer: environment.source === 'container',
    ...answer,
  } as const;
  const findings = [...checkEnvironment(look), ...strayFindings(own, environment)];
  return { host: host.name, url: host.url, environment, findings, ...answer };
}

async function askVersion(
  { url, apiKey }: OllamaHostSettings,
  upstream: UpstreamClient,
): Promise<Pick<SeenHost, 'version' | 'away'>> {
  const key = apiKey === undefined ? {} : { apiKey };
  try {
    return { version: await createOllamaClient({ url, upstream, ...key }).version() };
  } catch (error) {
    if (!isObeliskError(error)) throw error;
    return { away: error.message };
  }
}

function toJson({ environment, ...seen }: SeenHost): unknown {
  const variables = [...environment.values].map(([name, value]) => {
    const variable = findVariable(name);
    return {
      name,
      value,
      ...(variable === undefined ? {} : { counts_as: readValue(variable, value).effective }),
    };
  });
  return { ...seen, source: environment.source, explanation: environment.explanation, variables };
}
