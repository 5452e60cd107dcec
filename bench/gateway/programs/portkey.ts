import { startProgram } from '../processes.ts';
import type { Place, Program } from '../processes.ts';

/** Portkey's gateway: the provider and its address travel with every request. */
export function startPortkey(program: string, upstream: string, place: Place): Promise<Program> {
  const headers = {
    authorization: 'Bearer sk-upstream',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${upstream}/v1`,
  };
  const command = [process.execPath, program, `--port=${place.port}`, '--headless'];
  return startProgram('portkey', { command, headers, environment: { NODE_ENV: 'production' } }, place);
}
