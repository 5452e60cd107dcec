import type { Scenario } from './bench.ts';
import { BURST_SCENARIO } from './scenarios/burst.ts';
import { START_SCENARIO } from './scenarios/start.ts';
import { STREAM_SCENARIO } from './scenarios/streams.ts';
import { LOAD_SCENARIOS } from './scenarios/throughput.ts';

/** Everything that can be measured, in the order in which it is. */
export const SCENARIOS: readonly Scenario[] = [
  ...LOAD_SCENARIOS,
  STREAM_SCENARIO,
  BURST_SCENARIO,
  START_SCENARIO,
];
