import { CROWDS_CONFIG, STALLED_CONFIG, STALLED_CROWDS, STALLED_READERS } from './stalled-readers.ts';
import { registerCases } from './register-cases.ts';

registerCases('clients that stop reading', STALLED_READERS, {
  config: STALLED_CONFIG,
  concurrency: 5,
});
registerCases('many clients that stop reading', STALLED_CROWDS, { config: CROWDS_CONFIG, parallel: true });
