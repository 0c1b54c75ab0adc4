// Whoever stops a process gives it the time that its drain may take: above the budget in the same file.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {root} from '../process/harness.mjs';
import {graceProblem, isOurs, processes, secondsToEnd} from './harness/commands.mjs';
import {read, secondsOf} from './harness/yaml.mjs';

const kSessionMax = 3600;  // Of a profile that names none.

const ours = processes().filter(isOurs);

test('each grace period is above what the drain may take', () => {
  assert.equal(ours.length, 9, 'compose: 2 gateways, a worker; kubernetes: both, twice; systemd: both');
  assert.deepEqual(ours.map(graceProblem).filter(Boolean), []);
});

test('a grace period that is too short is found, wherever the time goes', () => {
  const process = {where: 'a file', grace: 14, args: ['--drain_budget=3s'], drains: ['sleep 2; exec voicebridgectl drain localhost:1 --budget=7s']};
  assert.equal(secondsToEnd(process), 12);
  assert.equal(graceProblem(process), undefined);
  assert.match(graceProblem({...process, grace: 13}), /a file: 13 s to stop, and 12 s are needed/);
  assert.match(graceProblem({...process, args: ['--drain_budget=4s']}), /13 s are needed/);
  assert.match(graceProblem({...process, drains: ['exec voicebridgectl drain localhost:1 --budget=2min']}), /123 s are needed/);
  for (const each of ours) {
    assert.notEqual(graceProblem({...each, grace: secondsToEnd(each)}), undefined, each.where);
  }
});

test('HAProxy waits for a silent socket longer than a session may last', () => {
  const profiles = path.join(root, 'bridge_worker/profiles');
  const limits = fs.readdirSync(profiles).map((file) => JSON.parse(fs.readFileSync(path.join(profiles, file), 'utf8')).limits?.session_seconds ?? kSessionMax);
  const [, tunnel] = /^ *timeout tunnel (\S+)$/m.exec(read('haproxy/haproxy.cfg'));
  assert.ok(secondsOf(tunnel) > Math.max(kSessionMax, ...limits), tunnel);
  assert.doesNotMatch(read('haproxy/haproxy.cfg'), /^[^#]*(on-marked-down|hard-stop-after)/m);
});
