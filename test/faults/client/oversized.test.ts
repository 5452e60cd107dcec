import { registerCases } from './client-case.ts';
import { OVERSIZED } from './oversized.ts';

registerCases('bodies of another size', OVERSIZED);
