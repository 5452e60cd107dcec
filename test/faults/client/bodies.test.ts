import { REFUSED_BODIES } from './bodies.ts';
import { registerCases } from './client-case.ts';

registerCases('bodies that are refused', REFUSED_BODIES);
