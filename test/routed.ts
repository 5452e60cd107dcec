/** A gateway over several upstreams of one name, and ways to ask it. */
import type { DeploymentRouting, RoutingSettings } from '../src/config/settings.ts';
import type { Deployment } from '../src/router/deployment.ts';
import { silentLogger } from '../src/telemetry/log.ts';
import { askSocket, balancerFor, deployment, startGateway } from './gateway.ts';
import type { Answer, TestGateway } from './gateway.ts';
import { json, routes } from './upstream-scripts.ts';
import { send } from './upstream.ts';
import type { Script, Step } from './upstream.ts';

/** A conversation. */
export const messages: readonly object[] = [{ role: 'user', content: 'hi' }];

/** Some deployments of one name, one for each origin. */
export function deployments(origins: readonly string[], routing?: DeploymentRouting): readonly Deployment[] {
  return origins.map((origin, index) =>
    deployment({ id: `test#${index}`, baseUrl: `${origin}/v1`, ...(routing ? { routing } : {}) }),
  );
}

/** A gateway over some origins, with clocks fit for a test. */
export function startRouted(
  group: readonly Deployment[],
  settings: Partial<RoutingSettings> = {},
): Promise<TestGateway> {
  return startGateway(group, { balancer: balancerFor(silentLogger, settings) });
}

/** Asks for a chat; `more` are further fields of the body. */
export function chat(gateway: TestGateway, more: object = {}): Promise<Answer> {
  return askSocket(gateway, {
    path: '/v1/chat/completions',
    body: { model: 'test-model', messages, ...more },
  });
}

/** The same steps for every request. */
export function always(...steps: readonly Step[]): Script {
  return routes({ 'POST /v1/chat/completions': steps, 'POST /v1/embeddings': steps });
}

/** An error for every request. */
export function failing(status: number, more: object = {}): Script {
  return always(json({ error: { message: 'no', ...more } }, status));
}

/** Asks `count` times, `width` at a time, and counts the answers that are no 200 and all attempts. */
export async function askMany(
  gateway: TestGateway,
  { count, width }: { readonly count: number; readonly width: number },
): Promise<{ failed: number; attempts: number }> {
  let left = count;
  let failed = 0;
  let attempts = 0;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const answer = await chat(gateway, { stream: left % 2 === 0 });
      if (answer.status !== 200) failed += 1;
      attempts += Number(answer.headers['x-obelisk-attempts'] ?? 0);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return { failed, attempts };
}

/** A 429 with a wait. */
export function tooMany(retryAfter: string): Step {
  const body = JSON.stringify({ error: { message: 'slow down' } });
  return send(
    `HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: ${retryAfter}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}
