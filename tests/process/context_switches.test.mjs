// A session's frames never cross one of our threads: seen from outside by counting context switches.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {EchoLoad, full, sanitized, watchHealth, withFleet} from './harness.mjs';

const kSessions = 200;
const kSwitchesMax = 0.6;

test('less than 0.6 voluntary context switches per relayed frame at 200 sessions x 25 frames/s', {timeout: 120000, skip: sanitized}, (t) =>
  withFleet({workers: 1, simulatorFlags: ['--echo'], refused: 'any'}, async (fleet) => {
    const processes = [fleet.gateway, fleet.workers[0]];
    const watches = [];
    for (const process of processes) {
      watches.push(await watchHealth(await process.listening('admin')));
    }
    watches.forEach((watch) => assert.deepEqual(watch.statuses, ['SERVING']));
    const load = await EchoLoad.start(fleet.url, kSessions);
    const warm = await load.run(1000);
    await load.settle(warm.frames);
    const before = processes.map((process) => process.stats());
    const {frames, seconds} = await load.run(full ? 30000 : 10000);
    await load.settle(frames);
    const after = processes.map((process) => process.stats());
    const relayed = frames + load.echoes;
    const switches = processes.map((process, i) => {
      const perFrame = (after[i].voluntary - before[i].voluntary) / relayed;
      const cpu = ((after[i].cpuSeconds - before[i].cpuSeconds) * 1e6) / relayed;
      t.diagnostic(`${process.name}: ${perFrame.toFixed(3)} voluntary context switches and ${cpu.toFixed(1)} us CPU per relayed frame ` +
                   `(${Math.round(relayed / seconds)} frames/s); p50 ${load.latency(0.5).toFixed(2)} ms, p99 ${load.latency(0.99).toFixed(2)} ms round trip`);
      return perFrame;
    });
    watches.forEach((watch) => assert.equal(watch.ended, undefined, 'the Watch call was open all the time'));
    switches.forEach((perFrame, i) => assert.ok(perFrame < kSwitchesMax, `${processes[i].name}: ${perFrame.toFixed(3)} per frame`));
    watches.forEach((watch) => watch.stop());
    load.stop();
    await fleet.sessionsGone();
  }));
