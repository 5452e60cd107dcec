import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MASTER_KEY, MODEL } from '../bodies.ts';
import { startProgram } from '../processes.ts';
import type { Place, Program } from '../processes.ts';

const START_MS = 180_000;

/** LiteLLM's proxy with one worker, its master key and the same three deployments; no database. */
export function startLitellm(program: string, upstream: string, place: Place): Promise<Program> {
  const file = join(place.directory, 'litellm.yaml');
  const deployment = {
    model_name: MODEL,
    litellm_params: { model: `openai/${MODEL}`, api_base: `${upstream}/v1`, api_key: 'sk-upstream' },
  };
  const configuration = {
    general_settings: { master_key: MASTER_KEY },
    model_list: [deployment, deployment, deployment],
  };
  writeFileSync(file, JSON.stringify(configuration, undefined, 2));
  const command = [program, '--config', file, '--host', '127.0.0.1', '--port', String(place.port)];
  return startProgram(
    'litellm',
    {
      command: [...command, '--num_workers', '1'],
      environment: {
        LITELLM_MODE: 'PRODUCTION',
        // Neither looks for prices nor reports anything while it is measured.
        LITELLM_LOCAL_MODEL_COST_MAP: 'True',
        LITELLM_LOG: 'ERROR',
        DISABLE_ADMIN_UI: 'True',
      },
      headers: { authorization: `Bearer ${MASTER_KEY}` },
      startMs: START_MS,
    },
    place,
  );
}
