// What an operator does with voicebridgectl drain, undrain and status, and sees of it; with real processes.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkEnd, checkTurn, ManagedProcess, patience, runBinary, waitUntil, withFleet} from './harness.mjs';

const ctl = async (process, command, ...more) => runBinary('voicebridgectl', [command, await process.listening('admin'), ...more]);
const text = ({stdout, stderr}) => `${stdout}\n${stderr}`;

// The worker with sessions, and the other.
async function busyAndIdle(fleet) {
  const gauges = await fleet.gauges();
  const busy = fleet.workers.find(({name}) => gauges[name].sessions > 0);
  return [busy, fleet.workers.find((worker) => worker !== busy)];
}

test('a worker that is drained closes its sessions, stays and says so, and others go on', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  await checkTurn(fleet, client);
  const [worker, other] = await busyAndIdle(fleet);
  const drained = await ctl(worker, 'drain', '--reason=an upgrade');
  assert.equal(drained.code, 0, text(drained));
  assert.match(drained.stdout, /drained \(close\) in \d+ ms; it stays, and takes no new sessions\n {2}1 session was told and closed.*\n {2}nothing could take the sessions over/);
  await checkEnd(client, {reason: 'draining', code: 1001, error: false});
  assert.match((await ctl(worker, 'status')).stdout, /^worker \S+, drained, up for \S+: 0 of 500 sessions/);

  const again = await ctl(worker, 'drain', '--json');
  assert.deepEqual([again.code, JSON.parse(again.stdout).summary.stored], [0, [client.about.session_id]], 'the same command joins it');
  const refused = await ctl(worker, 'undrain');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /FAILED_PRECONDITION: .*closed sessions/);

  const next = await fleet.connect();
  await checkTurn(fleet, next);
  assert.equal((await fleet.gauges())[other.name].sessions, 1);
  const left = await ctl(worker, 'drain', '--exit');
  assert.equal(left.code, 0, text(left));
  assert.equal((await worker.waitForExit(5000)).code, 0);
  fleet.leave(worker);
}));

test('a drain that has closed nothing is undone; who watched it is told', () => withFleet({workers: 1}, async (fleet) => {
  const [worker] = fleet.workers;
  const client = await fleet.connect();
  const watching = ManagedProcess.binary('voicebridgectl', ['drain', await worker.listening('admin'), '--mode=finish', '--budget=20s']);
  await waitUntil(() => watching.text('out').includes('finish: 1 of 1 session left'), {ms: 5000, what: 'the drain to begin', got: () => watching.text()});
  await client.waitFor('voicebridge.session.draining');
  assert.match((await ctl(worker, 'status')).stdout, /^worker \S+, draining, 1\d\.\d s left, up for \S+: 1 of/);
  assert.equal((await ctl(worker, 'undrain')).stdout, `undrained ${await worker.listening('admin')}`);
  assert.equal((await watching.waitForExit(5000)).code, 1);
  assert.match(watching.text('err'), /ABORTED: /);
  await checkTurn(fleet, client);
  const next = await fleet.connect();
  assert.equal(next.about.profile, 'assistant', 'and it serves again');
}));

test('sessions that end by themselves are counted as such; Ctrl+C does not end their drain', () => withFleet({workers: 1}, async (fleet) => {
  const [worker] = fleet.workers;
  const clients = [await fleet.connect(), await fleet.connect()];
  const address = await worker.listening('admin');
  const watching = ManagedProcess.binary('voicebridgectl', ['drain', address, '--mode=finish', '--budget=20s']);
  await waitUntil(() => watching.text('out').includes('2 of 2'), {ms: 5000, what: 'the drain to begin', got: () => watching.text()});
  assert.equal((await watching.stop('SIGINT')).code, 130);
  const joined = ManagedProcess.binary('voicebridgectl', ['drain', address, '--mode=finish', '--budget=20s', '--json']);
  clients.forEach((client) => client.close());
  assert.equal((await joined.waitForExit(10000)).code, 0);
  const {summary} = JSON.parse(joined.text('out'));
  assert.deepEqual([summary.finished.length, summary.stored, summary.forced], [2, [], []]);
}));

test('a process that exits is gone after its summary was shown, every time', async () => {
  for (let i = 0; i < 5; ++i) {
    await withFleet({workers: 1}, async (fleet) => {
      await fleet.connect();
      const [worker] = fleet.workers;
      const processes = i % 2 === 0 ? [worker] : [worker, fleet.gateway];
      const drained = await ctl(processes.at(-1), 'drain', '--exit', '--mode=close', ...(processes.length > 1 ? ['--fleet'] : []));
      assert.equal(drained.code, 0, text(drained));
      assert.match(drained.stdout, /1 session was told and closed/);
      for (const process of processes) {
        assert.equal((await process.waitForExit(3000)).code, 0);
      }
    });
  }
});

// The gateway remembers it to its end.
const unreachable = {exitCode: ({name}) => (name === 'gateway' ? 3 : 0)};

test('a worker that does not answer is named, and nothing waits for it', () => withFleet(unreachable, async (fleet) => {
  await fleet.connect();
  const [busy, idle] = await busyAndIdle(fleet);
  process.kill(idle.pid, 'SIGSTOP');
  try {
    const drained = await ctl(fleet.gateway, 'drain', '--fleet', '--budget=1s');
    assert.equal(drained.code, 3, text(drained));
    assert.match(drained.stdout, new RegExp(`^fleet of .* but not cleanly; its processes stay, and take no new sessions\n[^]*did not answer: ${await idle.listening('grpc')}$`, 'm'));
    assert.doesNotMatch(drained.stdout, new RegExp(await busy.listening('grpc')));
    const from = performance.now();
    const silent = await ctl(idle, 'drain', '--timeout=500ms');
    assert.equal(silent.code, 1, text(silent));
    assert.match(silent.stderr, /DEADLINE_EXCEEDED: the server says nothing/);
    assert.ok(performance.now() - from < 3000 * patience);
  } finally {
    process.kill(idle.pid, 'SIGCONT');
  }
}));

test('what cannot be is refused with its reason', () => withFleet({workers: 1}, async (fleet) => {
  const [worker] = fleet.workers;
  for (const [process, flags, words] of [
    [worker, ['--fleet'], /INVALID_ARGUMENT: scope/], [fleet.gateway, ['--fleet', '--mode=handover'], /INVALID_ARGUMENT: mode/],
    [worker, ['--budget=499ms'], /INVALID_ARGUMENT: budget: expected at least 500 ms/],
  ]) {
    const refused = await ctl(process, 'drain', ...flags);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, words);
  }
  assert.match((await ctl(worker, 'status')).stdout, /^worker \S+, up for/, 'and nothing has begun');
}));

test('a fleet that may take its time is told to end now: every process goes, and nothing is forced', () => withFleet({}, async (fleet) => {
  const client = await fleet.connect();
  await checkTurn(fleet, client);
  const patient = ManagedProcess.binary('voicebridgectl', ['drain', await fleet.gateway.listening('admin'), '--fleet', '--mode=finish', '--budget=10m']);
  await waitUntil(() => patient.text('out').includes('1 of 1'), {ms: 5000 * patience, what: 'the drain to begin', got: () => patient.text()});
  for (const worker of fleet.workers) {
    await waitUntil(async () => /, drain(ing|ed), /.test((await ctl(worker, 'status')).stdout), {ms: 5000 * patience, what: `${worker.name} to drain`});
  }
  const now = await ctl(fleet.gateway, 'drain', '--fleet', '--exit', '--budget=3s', '--json');
  assert.equal(now.code, 0, text(now));
  const {summary} = JSON.parse(now.stdout);
  assert.deepEqual([summary.stored, summary.forced, summary.unreachable], [[client.about.session_id], [], []]);
  await checkEnd(client, {reason: 'draining', code: 1001, error: false});
  for (const process of [fleet.gateway, ...fleet.workers]) {
    assert.equal((await process.waitForExit(5000 * patience)).code, 0, process.name);
  }
  assert.equal((await patient.waitForExit(5000 * patience)).code, 0);
}));
