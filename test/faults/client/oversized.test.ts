import { OVERSIZED } from './oversized.ts';
import { registerCases } from './register-cases.ts';

registerCases('bodies of another size', OVERSIZED);
