import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { TRANSPORTS } from '../transports.ts';
import { eventually } from '../../eventually.ts';
import { readLedger } from './ledger.ts';
import { runScene } from './run-scene.ts';
import { openStage, playsOf } from './stage.ts';
import type { Stage } from './stage.ts';
import { UPSTREAM_ROWS } from './upstream-rows.ts';

/** Cases that run at a time: they mostly wait. */
const CONCURRENCY = 16;
/** The same of those that do not. */
const HEAVY_CONCURRENCY = 2;

const plays = playsOf(UPSTREAM_ROWS);

for (const transport of TRANSPORTS) {
  describe(`on the transport ${transport}, an upstream's fault is told`, () => {
    let stage: Stage;
    let atStart: readonly string[];
    before(async () => {
      stage = await openStage(plays, transport);
      // The connections that asked whether it is ready are gone by then.
      await eventually(async () => assert.match(await stage.metrics(), /obelisk_in_flight_requests 1/));
      atStart = await stage.descriptors();
    });
    after(() => stage.close());

    for (const heavy of [false, true])
      describe(
        heavy ? 'in the cases that move megabytes' : 'in every case',
        {
          concurrency: heavy ? HEAVY_CONCURRENCY : CONCURRENCY,
        },
        () => {
          for (const { title, fault, at } of plays.filter((play) => (play.fault.heavy ?? false) === heavy))
            it(title, async () => {
              const scene = stage.scenes.find((one) => one.fault === fault && one.at === at);
              assert.ok(scene);
              await runScene(stage, scene);
            });
        },
      );

    it('with one line in the log and one count in the metrics for each request', async () => {
      await eventually(async () => {
        const { expected, logged, counted, inFlight, deploymentsInFlight } = await readLedger(stage);
        assert.deepEqual(logged, expected);
        assert.deepEqual(counted, expected);
        assert.equal(inFlight, 1, 'nothing is in flight but the question itself');
        assert.equal(deploymentsInFlight, 0, 'no deployment has anything in flight');
      });
    });

    it('and the process lives, with nothing left open and nothing unexpected', async () => {
      await stage.closeServers();
      await eventually(async () => assert.deepEqual(added(atStart, await stage.descriptors()), []));
      assert.doesNotMatch(stage.program.stderr(), /unexpected error|unhandled|uncaught|Warning/i);
      const response = await fetch(`${stage.program.url}/health/readiness`);
      assert.equal(response.status, 200);
    });
  });
}

/** What is there now beyond what was there before. */
function added(before: readonly string[], now: readonly string[]): readonly string[] {
  const left = [...before];
  return now.filter((one) => {
    const at = left.indexOf(one);
    if (at !== -1) left.splice(at, 1);
    return at === -1;
  });
}
