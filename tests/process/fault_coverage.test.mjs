// Every fault of the simulator has a test, and is asked for in a way that tells mistakes.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {getJson, ManagedProcess, postJson, root, runBinary, withFleet} from './harness.mjs';

const kFolder = path.join(root, 'tests/process');

// The first argument of each faultTest().
function testedFaults() {
  const files = fs.readdirSync(kFolder).filter((file) => /fault.*\.test\.mjs$/.test(file));
  const names = files.flatMap((file) => [...fs.readFileSync(path.join(kFolder, file), 'utf8').matchAll(/\bfaultTest\('(\w+)'/g)].map((match) => match[1]));
  return [...new Set(names)].sort();
}

test('the faults that are tested are the faults that exist', async () => {
  const simulator = ManagedProcess.binary('realtime-simulator', ['--listen=127.0.0.1:0']);
  try {
    const {known} = await getJson(`http://${await simulator.listening('simulator')}/faults`);
    assert.deepEqual(testedFaults(), known.map(({fault}) => fault).sort());
    const help = await runBinary('realtime-simulator', ['--help']);
    for (const {usage, effect} of known) {
      assert.ok(help.stdout.includes(`${usage}\n      ${effect}\n`), `--help explains ${usage}`);
    }
  } finally {
    await simulator.stop('SIGTERM');
  }
});

test('a fault that does not exist stops the simulator with exit code 2', async () => {
  const {code, stderr} = await runBinary('realtime-simulator', ['--fault=explode']);
  assert.equal(code, 2);
  assert.match(stderr, /fault 'explode' is unknown; known are refuse:STATUS, /);
});

test('a request for a fault names the field that is wrong', () => withFleet({workers: 1}, async (fleet) => {
  const refusals = [
    [{fault: 'explode'}, /fault 'explode' is unknown; known are .*responses_garbage/],
    [{}, /fault '' is unknown/],
    [{fault: 'refuse'}, /arg of fault 'refuse': expected refuse:STATUS/],
    [{fault: 'refuse', arg: 99}, /arg '99' of fault 'refuse': expected STATUS from 300 to 599/],
    [{fault: 'response_fail', arg: 'x'}, /arg 'x' .*rate_limit_exceeded/],
    [{fault: 'drop', session: 'sess_none'}, /session 'sess_none' is not open/],
    [{fault: 'bad_key', session: 'sess_none'}, /session: fault 'bad_key' cannot happen to an open session/],
    [{fault: 'drop', times: 1}, /times: /],
    [{fault: 'drop', colour: 'red'}, /colour: expected fault, arg, session, count or times/],
  ];
  for (const [wish, message] of refusals) {
    const answer = await postJson(`${fleet.simulatorUrl}/faults`, wish);
    assert.equal(answer.status, 400, JSON.stringify(wish));
    assert.match(JSON.parse(answer.body).error.message, message);
  }
  assert.deepEqual((await getJson(`${fleet.simulatorUrl}/faults`)).faults, []);
}));

test('the journal says which faults were in force in which session', () => withFleet({workers: 1, refused: 'any'}, async (fleet) => {
  await fleet.fault('transcription_delay', 80, {count: 1});
  await fleet.connect();
  const plain = await fleet.connect();
  const ids = (await fleet.journal()).sessions.map(({id}) => id);
  await fleet.fault('late_deltas', undefined, {session: ids[1]});
  assert.deepEqual((await fleet.journal()).sessions.map(({faults}) => faults), [['transcription_delay:80'], ['late_deltas']]);
  plain.send({type: 'conversation.item.delete', item_id: 'item_none'});
  await plain.waitForError();
  const journal = await fleet.journal();
  assert.equal(journal.refused, 1);
  assert.deepEqual(journal.sessions.map(({refused}) => refused), [0, 1]);
}));
