import { relevantValues } from './machine-look.ts';
import type { MachineLook, Sight } from './machine-look.ts';
import { toEntry } from './process-environment.ts';

/** Looks at the container that publishes the port, where Docker or Podman lets this user ask. */
export async function lookAtContainer(
  { port }: { readonly port: number },
  { run }: MachineLook,
): Promise<Sight | undefined> {
  for (const program of ['docker', 'podman']) {
    const found = await run(program, ['ps', '--quiet', '--filter', `publish=${port}`]);
    const id = found?.trim().split(/\s+/)[0] ?? '';
    if (!/^[0-9a-f]{6,}$/.test(id)) continue;
    const lines = await run(program, [
      'inspect',
      '--format',
      '{{range .Config.Env}}{{println .}}{{end}}',
      id,
    ]);
    if (lines === undefined) continue;
    const values = relevantValues(lines.split('\n').flatMap(toEntry));
    const explanation = `read from container ${id} (${program})`;
    return { kind: 'seen', environment: { source: 'container', explanation, values } };
  }
  return undefined;
}
