import type { ModelRegistry } from '../../router/deployment.ts';

const LATEST = ':latest';

/**
 * The name that is meant: many of Ollama's clients add `:latest` to a name without a tag, and models
 * from elsewhere have none.
 */
export function doorModelName(registry: ModelRegistry, asked: string): string {
  if (!asked.endsWith(LATEST)) return asked;
  const short = asked.slice(0, -LATEST.length);
  // Of a vault, what follows a colon is who writes, and nobody is called `latest`.
  if (short.startsWith('vault/')) return short;
  return registry.resolve(asked).kind === 'unknown' && registry.resolve(short).kind !== 'unknown'
    ? short
    : asked;
}
