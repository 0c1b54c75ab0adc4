// The names that dashboards and alerts rely on: a renamed metric is a visible change of a golden file.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {request, root, withFleet} from './harness.mjs';

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
