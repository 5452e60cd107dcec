import { DIRECT } from './bench.ts';
import { EMPTY_NODE } from './scenarios/start.ts';

/** A figure of Obelisk with what it has to reach and what it aims at. */
export type Target = {
  readonly scenario: string;
  readonly title: string;
  readonly figure: string;
  /** The program it is compared with; absent for a figure that stands alone. */
  readonly other?: string;
  /** How: divided by the other's, or beyond the other's. */
  readonly by?: 'ratio' | 'difference';
  readonly better: 'more' | 'less';
  /** True where what makes a round void does not touch this figure. */
  readonly evenIfVoid?: boolean;
  readonly floor: number;
  readonly aim: number;
  readonly unit: string;
};

const ratio = (rest: Omit<Target, 'by' | 'unit'>): Target => ({ ...rest, by: 'ratio', unit: '×' });

const json1k = (other: string, floor: number, aim: number): Target =>
  ratio({
    scenario: 'json-1k',
    title: `chat JSON, 1 KB: throughput ÷ ${other}`,
    figure: 'requestsPerSecond',
    other,
    better: 'more',
    floor,
    aim,
  });

const large = (scenario: string, what: string): Target =>
  ratio({
    scenario,
    title: `${what}: throughput ÷ nginx`,
    figure: 'requestsPerSecond',
    other: 'nginx',
    better: 'more',
    floor: 0.4,
    aim: 0.7,
  });

const added = (figure: string, floor: number, aim: number): Target => ({
  scenario: 'latency',
  title: `one at a time: ${figure.slice(0, 3)} beyond nginx’s`,
  figure,
  other: 'nginx',
  by: 'difference',
  better: 'less',
  floor,
  aim,
  unit: 'µs',
});

/** What the gateway has to reach on its transport, each with everything on. */
export const TARGETS: readonly Target[] = [
  json1k('nginx', 0.5, 0.75),
  json1k('busbar', 3, 5),
  json1k('portkey', 20, 30),
  json1k('litellm', 200, 350),
  large('request-64k', 'request of 64 KB'),
  large('answer-64k', 'answer of 64 KB'),
  added('p50Micros', 40, 10),
  added('p99Micros', 100, 30),
  ratio({
    scenario: 'streams',
    title: 'processor time of one event ÷ nginx',
    figure: 'microsPerEvent',
    other: 'nginx',
    better: 'less',
    floor: 1.6,
    aim: 1.2,
  }),
  {
    scenario: 'burst',
    title: 'memory of one open stream, 2,000 open',
    figure: 'kibPerStream',
    // How long clients waited for connections changes nothing in what 2,000 open streams hold.
    evenIfVoid: true,
    better: 'less',
    floor: 20,
    aim: 8,
    unit: 'KiB',
  },
  ratio({
    scenario: 'burst',
    title: 'burst of 2,000 streams: p99 to the first event ÷ nginx',
    figure: 'firstP99Ms',
    other: 'nginx',
    better: 'less',
    floor: 6,
    aim: 3,
  }),
  ratio({
    scenario: 'start',
    title: 'cold start to the first answer ÷ node -e 0',
    figure: 'startMs',
    other: EMPTY_NODE,
    better: 'less',
    floor: 4,
    aim: 2.5,
  }),
  {
    scenario: 'start',
    title: 'memory at rest',
    figure: 'idleMib',
    better: 'less',
    floor: 90,
    aim: 70,
    unit: 'MiB',
  },
];

/** Rows that are there to compare with and are no gateways. */
export const CONTROLS: ReadonlySet<string> = new Set([DIRECT, EMPTY_NODE]);
