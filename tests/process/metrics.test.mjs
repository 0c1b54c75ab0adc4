// The names that dashboards and alerts rely on: a renamed metric is a visible change of a golden file.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {patience, request, root, waitUntil, withFleet} from './harness.mjs';
import {sqliteIn} from './harness/database.mjs';
import {logged} from './harness/faults.mjs';

function golden(name) {
  return fs.readFileSync(path.join(root, 'tests/golden', name), 'utf8').trim().split('\n');
}

async function familiesOf(opsUrl) {
  const {status, body} = await request(`${opsUrl}/metrics`);
  assert.equal(status, 200);
  return [...body.matchAll(/^# TYPE (\S+) /gm)].map((match) => match[1]).sort();
}

test('gateway and worker export exactly the metrics of their golden files', () => withFleet({}, async (fleet) => {
  assert.deepEqual(await familiesOf(fleet.ops.get(fleet.gateway)), golden('gateway_metrics.txt'));
  assert.deepEqual(await familiesOf(fleet.ops.get(fleet.workers[0])), golden('worker_metrics.txt'));
}));

async function recordsLost(opsUrl) {
  const {body} = await request(`${opsUrl}/metrics`);
  return Object.fromEntries([...body.matchAll(/^voicebridge_worker_records_lost_total\{record="(\w+)"\} (\d+)$/gm)].map(([, record, count]) => [record, Number(count)]));
}

// Voice first: a worker whose store fails goes on, so it stays ready; its metrics say what it costs.
test('what the store refuses is counted as lost and logged, and the worker serves on', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-lost-'));
  const database = sqliteIn(directory);
  try {
    await withFleet({workers: 1, workerFlags: [`--store=${database.url}`]}, async (fleet) => {
      const [worker] = fleet.workers;
      const ops = fleet.ops.get(worker);
      const none = {session: 0, assessment: 0, last_words: 0, report: 0, tool_output: 0};
      assert.deepEqual(await recordsLost(ops), none);
      const client = await fleet.connect({profile: 'interview'});
      await database.rows('DROP TABLE assessments');
      await database.rows('DROP TABLE items');
      await client.sendText('안녕하세요.');
      await waitUntil(async () => (await recordsLost(ops)).session === 1, {ms: 10000 * patience, what: 'the items to be counted as lost'});
      assert.equal(logged(worker, 'record.lost').length, 1);
      client.send({type: 'voicebridge.assessment.request'});
      const {reason, retryable} = await client.waitFor('voicebridge.assessment.failed');
      assert.deepEqual([reason, retryable, client.typesSeen().includes('voicebridge.assessment.started')], ['store_unavailable', true, false]);
      assert.deepEqual(await recordsLost(ops), {...none, session: 1, assessment: 1});
      assert.deepEqual([(await request(`${ops}/readyz`)).status, (await request(`${ops}/healthz`)).status], [200, 200]);
      await (await fleet.connect({profile: 'interview'})).sendText('또 만나요.');
    });
  } finally {
    await database.stop();
    fs.rmSync(directory, {recursive: true, force: true});
  }
});
