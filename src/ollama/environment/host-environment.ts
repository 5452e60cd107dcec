import { isLoopbackUrl } from '../../shared/local-host.ts';
import { lookAtContainer } from './container-environment.ts';
import type { HostEnvironment, MachineLook } from './machine-look.ts';
import { lookAtProcess } from './process-environment.ts';
import { lookAtService } from './service-environment.ts';

/**
 * Looks for the environment of the server at a URL: its own process, its service, its container. Ollama
 * tells it to nobody over HTTP, so that of another machine it stays unknown.
 */
export async function findHostEnvironment(url: string, look: MachineLook): Promise<HostEnvironment> {
  const { hostname, port, protocol } = new URL(url);
  if (!isLoopbackUrl(url) && !look.ownAddresses.has(hostname.replaceAll(/^\[|\]$/g, ''))) {
    return unknown(
      'it runs on another machine, and Ollama tells its environment to nobody; run this command there',
    );
  }
  const at = { url, port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port) };
  const reasons: string[] = [];
  for (const way of [lookAtProcess, lookAtContainer, lookAtService]) {
    const sight = await way(at, look);
    if (sight?.kind === 'seen') return sight.environment;
    if (sight?.kind === 'hidden') reasons.push(sight.reason);
  }
  return unknown(reasons.join('; ') || 'no program and no service of that name was found that listens there');
}

function unknown(explanation: string): HostEnvironment {
  return { source: 'unknown', explanation, values: new Map() };
}
