import { SERVED_FRAMING } from './framing-served.ts';
import { REFUSED_FRAMING } from './framing.ts';
import { registerCases } from './register-cases.ts';

registerCases('odd and ambiguous HTTP', [...REFUSED_FRAMING, ...SERVED_FRAMING]);
