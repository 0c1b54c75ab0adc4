// Which worker gets a session when one stands still, is replaced, is drained or has none to give.
import {strict as assert} from 'node:assert';
import {describe, test} from 'node:test';

import {checkEnd, checkTurn, full, patience, runBinary, waitUntil, withFleet} from './harness.mjs';
import {attachmentsOf, checkHolds, holderOf} from './harness/attachments.mjs';
import {checkLogged} from './harness/faults.mjs';
import {Hosts} from './harness/hosts.mjs';
import {isAnswered, LoneWorker} from './harness/lone_worker.mjs';
import {attachingOnly, hanging, refusing, ScriptedWorker, serving} from './harness/scripted_worker.mjs';

const kSilenceMax = 2000;      // kWorkerSilenceMax
const kHandshakeMax = 10000;   // limits::kHandshakeMax
const kAttachAnswerMax = kHandshakeMax / 4;
const kMargin = 1500;          // For a busy machine, where a figure is no promise.

const kBusy = {answer: serving, sessions: 50};  // The others are tried before it.

const ctl = async (process, ...args) => runBinary('voicebridgectl', [args[0], await process.listening('admin'), ...args.slice(1)]);

// 503 before the upgrade, with a time to try again.
async function checkRefused(fleet) {
  await assert.rejects(fleet.dial().opened(), ({status, headers}) => {
    assert.equal(status, 503);
    assert.match(headers['retry-after'], /^\d+$/);
    return true;
  });
}

async function retries(fleet) {
  return (await fleet.metrics(fleet.gateway)).get('voicebridge_gateway_attach_retries_total');
}

// `scripts`: what each scripted worker is started with, or only what it makes of an attach.
async function withScripted(scripts, body) {
  const scripted = await Promise.all(scripts.map((script) => ScriptedWorker.start(script.answer ? script : {answer: script})));
  try {
    await withFleet({workers: 0, otherWorkers: scripted.map(({address}) => address)}, (fleet) => body(fleet, scripted));
  } finally {
    scripted.forEach((worker) => worker.stop());
  }
}

// The upgrade is accepted, and then nobody takes the session: told by an error, the reason and the close.
async function checkNobodyTakesIt(fleet, ms) {
  const client = fleet.dial();
  await client.opened();
  const {waited} = await checkEnd(client, {reason: 'no_worker', code: 1013, ms: ms + 5000});
  assert.deepEqual(client.typesSeen(), ['error', 'voicebridge.session.ended']);
  return waited;
}

test('a worker that stands still gets no new session within 2 s; what it has goes on when it does', () => withFleet({}, async (fleet) => {
  const clients = [await fleet.connect(), await fleet.connect(), await fleet.connect()];
  const holders = await Promise.all(clients.map((client) => holderOf(fleet.workers, client)));
  const sessions = (worker) => holders.filter((holder) => holder === worker).length;
  const [frozen, other] = [...fleet.workers].sort((a, b) => sessions(a) - sessions(b));
  assert.deepEqual([sessions(frozen), sessions(other)], [1, 2], 'each new session goes to the less busy worker');
  const kept = clients[holders.indexOf(frozen)];

  process.kill(frozen.pid, 'SIGSTOP');
  const stoppedAt = performance.now();
  try {
    // Sent to the worker that seems less busy, which does not answer.
    const early = fleet.connect({ms: kHandshakeMax});
    await fleet.servingWorkers(1, kSilenceMax + kMargin);
    const noticed = performance.now() - stoppedAt;
    assert.ok(noticed <= (kSilenceMax + kMargin) * patience, `suspect after ${Math.round(noticed)} ms`);
    const next = await Promise.all([fleet.connect(), fleet.connect(), fleet.connect()]);
    await checkHolds(other, [...next, await early]);
    assert.equal(await retries(fleet), 1, 'only that one had to be moved');
  } finally {
    process.kill(frozen.pid, 'SIGCONT');
  }
  await fleet.servingWorkers(2);
  await checkTurn(fleet, kept);
  await waitUntil(async () => (await fleet.gauges())[frozen.name].sessions === 1, {ms: 5000 * patience, what: 'the worker to forget what was taken from it'});
  await checkHolds(frozen, [await fleet.connect()]);
}));

describe('workers come and go', {concurrency: true}, () => {
  test('another process at the address of a worker that was killed is another worker', () => withFleet({workersReturn: true}, async (fleet) => {
    const clients = [await fleet.connect(), await fleet.connect()];
    const [lost, kept] = clients;
    const gone = await holderOf(fleet.workers, lost);
    await fleet.killWorker(gone);
    await checkEnd(lost, {reason: 'worker_lost', code: 1011});
    await fleet.servingWorkers(1);
    const again = await fleet.restartWorker(gone);
    await fleet.servingWorkers(2);
    const next = await fleet.connect();
    await checkHolds(again, [next]);
    await Promise.all([kept, next].map((client) => checkTurn(fleet, client)));
  }));

  test('a worker that is drained gets no new session from the first moment, one that it had not begun is begun elsewhere; with all drained: 503', () => withFleet({}, async (fleet) => {
    const [worker, other] = fleet.workers;
    await fleet.fault('accept_delay', 100);
    let summary;
    const drained = ctl(worker, 'drain', '--mode=close', '--json').then(({stdout}) => {
      summary = JSON.parse(stdout).summary;
    });
    const clients = [];
    const dialAgainAndAgain = async () => {
      while (summary === undefined) {
        clients.push(await fleet.connect());
      }
      clients.push(await fleet.connect());
    };
    await Promise.all([drained, ...Array.from({length: 8}, dialAgainAndAgain)]);
    const left = clients.filter(({closed}) => !closed);
    await checkHolds(other, left);
    await checkTurn(fleet, left[0]);
    const known = new Set([...summary.finished, ...summary.stored]);
    const taken = attachmentsOf(worker).map(({session}) => session).filter((session) => !known.has(session));
    assert.deepEqual(taken, [], 'all that it ever had was there when the drain began');

    await ctl(other, 'drain', '--mode=close');
    await fleet.servingWorkers(0);
    await checkRefused(fleet);
  }));

  test('with all full: 503 with Retry-After; many at once get the places that there are', () => withFleet({workerFlags: ['--capacity=1']}, async (fleet) => {
    const clients = Array.from({length: 6}, () => fleet.dial());
    const outcomes = await Promise.all(clients.map(async (client) => {
      try {
        await client.opened();
      } catch ({status}) {
        return status;
      }
      await waitUntil(() => client.closed || client.typesSeen().includes('voicebridge.session.ready'), {ms: 5000 * patience, what: 'an outcome'});
      return client.closed?.code ?? 'ready';
    }));
    assert.equal(outcomes.filter((outcome) => outcome === 'ready').length, 2, JSON.stringify(outcomes));
    assert.ok(outcomes.every((outcome) => ['ready', 503, 1013].includes(outcome)), JSON.stringify(outcomes));
    await fleet.servingWorkers(0, kMargin);
    await checkRefused(fleet);
    await clients[outcomes.indexOf('ready')].close();
    await fleet.servingWorkers(1, kMargin);
    await checkTurn(fleet, await fleet.connect());
  }));

  test('every attach fails after the upgrade: an error event and close 1013', () => withScripted(
      [refusing('RESOURCE_EXHAUSTED', 'full'), refusing('UNAVAILABLE', 'draining'), refusing('ABORTED', 'superseded')], async (fleet, scripted) => {
        const waited = await checkNobodyTakesIt(fleet, kMargin);
        assert.ok(waited < kMargin * patience, `${Math.round(waited)} ms`);
        assert.deepEqual(scripted.flatMap(({attaches}) => attaches.map(({epoch}) => epoch)).sort(), [1, 2, 3], 'each was asked once, under an epoch of its own');
        assert.equal(await retries(fleet), 2);
      }));

  test('a worker that does not answer an attach gets a part of the time, and the next has the session', () => withScripted([hanging, kBusy], async (fleet, [mute, good]) => {
    const started = performance.now();
    const client = await fleet.connect({ms: kHandshakeMax});
    const waited = performance.now() - started;
    assert.ok(waited >= kAttachAnswerMax - 100 && waited <= (kAttachAnswerMax + kMargin) * patience, `${Math.round(waited)} ms`);
    assert.deepEqual([mute.attaches.length, good.attaches.map(({epoch}) => epoch)], [1, [2]]);
    await client.close();
  }));

  test('what a worker said before counts for nothing once it is silent, older or another process', () => withScripted([serving, serving], async (fleet, [silent, replaced]) => {
    silent.fallSilent();
    await fleet.servingWorkers(1, kSilenceMax + kMargin);
    replaced.say({state: 'FULL'});
    await fleet.servingWorkers(0);
    await checkRefused(fleet);
    replaced.say({state: 'SERVING', start_id: 'start_2'});
    await fleet.servingWorkers(1);
    replaced.say({state: 'DRAINING'});
    await fleet.servingWorkers(0);
  }));

  test('workers behind a name: who leaves it gets no new session and keeps what it has; a name without addresses changes nothing', async (t) => {
    const refusal = await Hosts.refusal();
    if (refusal !== undefined) {
      t.skip(refusal);
      return;
    }
    const hosts = new Hosts();
    const lone = [await LoneWorker.start('127.0.0.2:0')];
    try {
      const [, port] = lone[0].address.split(':');
      lone.push(await LoneWorker.start(`127.0.0.3:${port}`));
      const list = (...addresses) => hosts.set('workers.test', addresses);
      list('127.0.0.2', '127.0.0.3');
      await withFleet({
        workers: 0, otherWorkers: lone.map(({address}) => address), gatewayFlags: [`--workers=dns:workers.test:${port}`],
        gatewayCommand: (program, args) => hosts.command(program, args),
      }, async (fleet) => {
        const workers = lone.map(({worker}) => worker);
        const clients = [await fleet.connect(), await fleet.connect()];
        const left = clients[await holderOf(workers, clients[0]) === workers[1] ? 0 : 1];
        await checkHolds(workers[1], [left]);
        list('127.0.0.2');
        await fleet.servingWorkers(1);
        await checkHolds(workers[0], await Promise.all([fleet.connect(), fleet.connect()]));
        assert.ok(await isAnswered(left), 'its session goes on');

        list();
        await checkLogged(fleet.gateway, 'workers.unresolved', {level: 'warning'});
        await checkHolds(workers[0], [await fleet.connect()]);
        list('127.0.0.2', '127.0.0.3');
        await fleet.servingWorkers(2);
        await checkHolds(workers[1], [await fleet.connect()]);
      });
    } finally {
      await Promise.all(lone.map((each) => each.stop()));
      hosts.remove();
    }
  });

  if (full) {
    test('no worker answers an attach: told at the end of the handshake budget', () => withScripted([hanging, hanging, hanging], async (fleet, scripted) => {
      const waited = await checkNobodyTakesIt(fleet, kHandshakeMax);
      assert.ok(Math.abs(waited - kHandshakeMax) <= kMargin * patience, `${Math.round(waited)} ms`);
      assert.deepEqual(scripted.map(({attaches}) => attaches.length), [1, 1, 1], 'each had its part of the time');
    }));

    test('a worker that has answered and waits for its upstream may take all of the budget', () => withScripted([attachingOnly, kBusy], async (fleet, [slow, busy]) => {
      const waited = await checkNobodyTakesIt(fleet, kHandshakeMax);
      assert.ok(Math.abs(waited - kHandshakeMax) <= kMargin * patience, `${Math.round(waited)} ms`);
      assert.deepEqual([slow.attaches.length, busy.attaches.length], [1, 0]);
    }));
  }
});
