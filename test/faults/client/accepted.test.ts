import { ACCEPTED } from './accepted.ts';
import { registerCases } from './register-cases.ts';

registerCases('odd requests that are served', ACCEPTED);
