import { registerCases } from './client-case.ts';
import { FRAMING } from './framing.ts';

registerCases('odd and ambiguous HTTP', FRAMING);
