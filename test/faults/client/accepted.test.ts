import { ACCEPTED } from './accepted.ts';
import { registerCases } from './client-case.ts';

registerCases('odd requests that are served', ACCEPTED);
