import { registerCases } from './client-case.ts';
import { DEPARTURES_CASES } from './departures.ts';

registerCases('clients that leave', DEPARTURES_CASES);
