import { DEPARTURES_CASES } from './departures.ts';
import { registerCases } from './register-cases.ts';

registerCases('clients that leave', DEPARTURES_CASES);
