// What an operator does with voicebridgectl, seen from both processes and from the client.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkEnd, checkTurn, runBinary, withFleet} from './harness.mjs';

async function ctl(process, command, ...more) {
  return runBinary('voicebridgectl', [command, await process.listening('admin'), ...more]);
}

async function ask(process, command, ...more) {
  const result = await ctl(process, command, ...more, '--json');
  assert.equal(result.code, 0, result.stderr);
  assert.equal(result.stderr, '');
  return JSON.parse(result.stdout);
}

function refused(result, what) {
  assert.equal(result.code, 1, result.stdout);
  assert.equal(result.stdout, '');
  assert.match(result.stderr, what);
}

test('voicebridgectl shows what gateway and worker hold, ends a session and deletes one', () => withFleet({workers: 1}, async (fleet) => {
  const [worker] = fleet.workers;
  const [first, second] = [await fleet.connect(), await fleet.connect()];
  for (const process of [fleet.gateway, worker]) {
    const status = await ask(process, 'status');
    assert.equal(status.process, process === worker ? 'worker' : 'gateway');
    assert.equal(status.sessions, 2);
    assert.equal(status.draining, false);
    const {sessions} = await ask(process, 'sessions');
    assert.deepEqual(sessions.map(({session_id: id}) => id).sort(), [first, second].map((client) => client.about.session_id).sort());
    assert.deepEqual([...new Set(sessions.map(({profile, epoch}) => `${profile} ${epoch}`))], ['assistant 1']);
  }
  assert.match((await ctl(worker, 'status')).stdout, /^worker \S+, up for \S+: 2 of \d+ sessions, \d+ tasks$/);
  assert.equal((await ctl(fleet.gateway, 'sessions')).stdout.split('\n').length, 2, 'a line for each session');

  assert.deepEqual(await ask(fleet.gateway, 'end-session', first.about.session_id), {session_id: first.about.session_id, ended: true});
  await checkEnd(first, {reason: 'ended_by_operator', code: 1000, error: false});
  refused(await ctl(fleet.gateway, 'end-session', first.about.session_id), /NOT_FOUND/);

  await checkTurn(fleet, second);
  refused(await ctl(fleet.gateway, 'delete-session', second.about.session_id), /FAILED_PRECONDITION: .*ask a worker/);
  assert.equal(second.closed, undefined, 'the gateway has ended nothing');
  assert.deepEqual(await ask(worker, 'delete-session', second.about.session_id), {session_id: second.about.session_id, deleted: true});
  await checkEnd(second, {reason: 'ended_by_operator', code: 1000, error: false});
  refused(await ctl(worker, 'delete-session', second.about.session_id), /NOT_FOUND/);
  await fleet.sessionsGone();
  assert.deepEqual(await ask(worker, 'sessions'), {sessions: []});
  assert.equal((await ctl(worker, 'sessions')).stdout, 'no sessions');
}));

test('voicebridgectl says what is wrong with a command and with an address', async () => {
  refused(await runBinary('voicebridgectl', ['end-session', '127.0.0.1:1']), /expected ADDR and ID/);
  refused(await runBinary('voicebridgectl', ['status', 'nowhere']), /HOST:PORT/);
  refused(await runBinary('voicebridgectl', ['status', '127.0.0.1:1', '--timeout=2s']), /127\.0\.0\.1:1: UNAVAILABLE/);
});
