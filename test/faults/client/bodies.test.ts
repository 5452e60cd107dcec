import { REFUSED_BODIES } from './bodies.ts';
import { registerCases } from './register-cases.ts';

registerCases('bodies that are refused', REFUSED_BODIES);
