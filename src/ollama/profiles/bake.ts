import type { JobSpec, ProfileView } from '../control-plane.ts';

/**
 * Makes the job that bakes a profile into a model of its own: whoever asks Ollama for that model,
 * past every gateway, loads it with these options. `keep_alive` is no parameter of a model.
 */
export function bakeSpec({ model, host, options }: ProfileView, name: string): JobSpec {
  const parameters = Object.fromEntries(
    Object.entries(options).map(([option, { value }]) => [option, value]),
  );
  return {
    kind: 'create',
    model: name,
    ...(host === undefined ? {} : { host }),
    source: { from: model, parameters },
  };
}
