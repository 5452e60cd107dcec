import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetricRegistry } from './metric-registry.ts';
import { createMetrics } from './metrics.ts';

const end = { route: '/v1/models', model: 'm', outcome: 'ok', durationMs: 30 };

test('requests are counted by how they ended, and what is running is known', () => {
  const metrics = createMetrics();
  metrics.requestStarted();
  metrics.requestStarted();
  metrics.requestEnded({ ...end, firstTokenMs: 7, promptTokens: 3, completionTokens: 4 });
  const text = metrics.render();
  assert.match(text, /^obelisk_in_flight_requests 1$/m);
  assert.match(text, /^obelisk_requests_total\{route="\/v1\/models",model="m",outcome="ok"\} 1$/m);
  assert.match(text, /^obelisk_tokens_total\{model="m",kind="prompt"\} 3$/m);
  assert.match(text, /^litellm_output_tokens_metric_total\{model="m"\} 4$/m);
  assert.match(text, /^obelisk_first_token_seconds_bucket\{model="m",le="0.01"\} 1$/m);
  assert.match(text, /^process_resident_memory_bytes \d+$/m);
});

test('buckets are cumulative and end with all', () => {
  const registry = createMetricRegistry();
  const histogram = registry.histogram({ name: 'h', help: 'H.' }, [1, 2]);
  for (const value of [0.5, 1, 1.5, 9]) histogram.cell([]).observe(value);
  assert.equal(
    registry.render(),
    '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="2"} 3\nh_bucket{le="+Inf"} 4\nh_sum 12\nh_count 4\n',
  );
});

test('a label’s value cannot leave its quotes', () => {
  const registry = createMetricRegistry();
  registry.counter({ name: 'c', help: 'C.', labels: ['model'] }).cell(['a"\\\n} 1']).value += 1;
  assert.match(registry.render(), /^c\{model="a\\"\\\\\\n\} 1"\} 1$/m);
});

test('gauges are read when scraped', () => {
  let chunks = 1;
  const metrics = createMetrics([
    {
      name: 'obelisk_index_chunks',
      help: 'Chunks.',
      read: () => [{ labels: { vault: 'v' }, value: chunks }],
    },
  ]);
  chunks = 5;
  assert.match(metrics.render(), /^obelisk_index_chunks\{vault="v"\} 5$/m);
});

test('names that clients invent do not grow the metrics without bound, and every request is counted', () => {
  const metrics = createMetrics();
  for (let index = 0; index < 3_000; index += 1) {
    metrics.requestStarted();
    metrics.requestEnded({ route: '/v1', model: `invented-${index}`, outcome: 'ok', durationMs: 1 });
  }
  const counts = [...metrics.render().matchAll(/^obelisk_requests_total\{.*\} (\d+)$/gm)];
  assert.ok(counts.length <= 1_001, `${counts.length} series`);
  assert.equal(
    counts.reduce((sum, [, count]) => sum + Number(count), 0),
    3_000,
  );
});
