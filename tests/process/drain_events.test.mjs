// What the log says of an end: of each session and of each process the same events in the same order, whatever ends
// them and however many there are.
import {strict as assert} from 'node:assert';
import {describe, test} from 'node:test';

import {Fleet, patience, waitUntil, withFleet} from './harness.mjs';
import {AdminClient} from './harness/admin.mjs';
import {linesOf, logged} from './harness/log.mjs';

const kBudgetMs = 3000;
const kSessionMaxMs = 1000;
const kBackgroundMaxMs = 1000;
const kKeepaliveMaxMs = 10;
const kMany = 5;

const kBegin = {gateway: ['session.admitted', 'session.started'], worker: ['session.attached']};
const kEnd = ['bridge.cleanup.begin', 'bridge.cleanup.end', 'session.ended', 'session.removed', 'session.cleanup.end'];
const kProcessEnd = [
  'drain.begin', 'shutdown.begin', 'shutdown.waiting', 'shutdown.app', 'store.shutdown.begin', 'store.shutdown.end', 'drain.end', 'shutdown.end',
];
const kProcessEvent = /^(drain|shutdown|store\.shutdown)\./;
const kSignals = {SIGINT: 2, SIGTERM: 15};

const roleOf = (fleet, process) => (process === fleet.gateway ? 'gateway' : 'worker');
const processesOf = (fleet) => [fleet.gateway, ...fleet.workers];
const eventsOf = (lines) => lines.map(({event}) => event);

// Of one session. An assessment has a life of its own, longer than that of its session.
function sessionLines(process, session) {
  return linesOf(process).filter((line) => line.session === session && !line.event.startsWith('assessment.'));
}

function checkSession(fleet, process, session, {reason, code, keepalive = false}) {
  const role = roleOf(fleet, process);
  const all = sessionLines(process, session);
  const what = `${process.name} of ${session}: ${eventsOf(all).join(', ')}`;
  const lines = all.filter(({event}) => event !== 'client.closed');
  const expected = keepalive && role === 'worker' ? kEnd.toSpliced(1, 0, 'keepalive.stopped') : kEnd;
  assert.deepEqual(eventsOf(lines).slice(0, kBegin[role].length), kBegin[role], what);
  assert.deepEqual(eventsOf(lines).slice(-expected.length), expected, what);
  assert.ok(!eventsOf(lines).slice(1, -expected.length).some((event) => expected.includes(event)), `each once; ${what}`);
  const of = Object.fromEntries(all.map((line) => [line.event, line]));
  for (const event of ['keepalive.stopped', 'session.ended', 'session.removed'].filter((each) => expected.includes(each))) {
    assert.equal(of[event].reason, reason, `${event} of ${what}`);
  }
  assert.ok(of['bridge.cleanup.begin'].tasks > 0, what);
  assert.equal(of['bridge.cleanup.end'].abandoned, 0, what);
  assert.equal(of['session.ended'].tasks_left, 0, what);
  assert.ok(of['bridge.cleanup.end'].ms <= of['session.cleanup.end'].ms && of['session.cleanup.end'].ms <= kSessionMaxMs * patience, JSON.stringify(lines));
  if (role === 'gateway') {
    checkClient(all, {what, code, closedFirst: reason !== 'draining' && reason !== 'upstream_lost'});
  }
}

// The client has gone, and the rest follows; or what it was told goes out while the rest ends.
function checkClient(lines, {what, code, closedFirst}) {
  const closed = lines.filter(({event}) => event === 'client.closed');
  assert.deepEqual(closed.map((line) => line.code), [code], what);
  const at = Object.fromEntries(lines.map(({event}, i) => [event, i]));
  assert.ok(at['client.closed'] < at['bridge.cleanup.end'], what);
  assert.equal(at['client.closed'] < at['bridge.cleanup.begin'], closedFirst, what);
}

// All sessions of the fleet have this end, in both processes.
function checkSessions(fleet, sessions, end) {
  for (const process of processesOf(fleet)) {
    sessions.forEach((session) => checkSession(fleet, process, session, end));
  }
}

// Each session that the process ever had is one of these, and was said to begin and to end once.
function checkAllSessions(fleet, sessions) {
  for (const process of processesOf(fleet)) {
    for (const event of [...kBegin[roleOf(fleet, process)], ...kEnd]) {
      assert.deepEqual(logged(process, event).map(({session}) => session).sort(), [...sessions].sort(), `${event} of ${process.name}`);
    }
  }
}

async function allSaid(fleet, sessions) {
  const said = (process) => logged(process, kEnd.at(-1)).filter(({session}) => sessions.includes(session)).length;
  await waitUntil(() => processesOf(fleet).every((process) => said(process) === sessions.length), {
    ms: 5000 * patience, what: `the end of ${sessions.length} sessions in both logs`, got: () => fleet.logs(),
  });
}

function connect(fleet, count, options) {
  return Promise.all(Array.from({length: count}, () => fleet.connect(options)));
}

const idsOf = (clients) => clients.map(({about}) => about.session_id);

// --- sessions that end while the processes serve -------------------------------------------------

async function loseUpstreams(fleet, clients) {
  for (const {id, state} of (await fleet.journal()).sessions) {
    if (state === 'open') {
      await fleet.fault('drop', undefined, {session: id});
    }
  }
  await Promise.all(clients.map((client) => client.waitForClose()));
}

const kWays = [
  ['the client closes', {reason: 'client_closed', code: 1000}, (_, clients) => Promise.all(clients.map((client) => client.close()))],
  ['the client is cut off', {reason: 'client_lost', code: 1006}, (_, clients) => clients.forEach((client) => client.terminate())],
  // A frame with reserved bits.
  ['the client breaks the protocol', {reason: 'protocol_error', code: 1002},
   (_, clients) => clients.forEach(({socket}) => socket._socket.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0])))],
  ['the upstream is lost', {reason: 'upstream_lost', code: 1011}, loseUpstreams],
];

test('a session that ends has one end with its reason, in order, and nothing is said of it afterwards', () => withFleet({workers: 1}, async (fleet) => {
  const ends = [];
  for (const [, end, leave] of kWays) {
    for (const count of [1, kMany]) {
      const clients = await connect(fleet, count);
      await leave(fleet, clients);
      await allSaid(fleet, idsOf(clients));
      checkSessions(fleet, idsOf(clients), end);
      ends.push([idsOf(clients), end]);
    }
  }
  await Promise.all(processesOf(fleet).map((process) => process.stop()));
  ends.forEach(([sessions, end]) => checkSessions(fleet, sessions, end));
  checkAllSessions(fleet, ends.flatMap(([sessions]) => sessions));
}));

// --- processes that are drained ------------------------------------------------------------------

// The lines of a drain that ends the process; those of its sessions stand where the process waits for them.
function checkProcess(process, {exit, sessions, reason, signal}) {
  const lines = linesOf(process);
  const own = lines.filter(({event}) => kProcessEvent.test(event));
  assert.deepEqual(eventsOf(own), kProcessEnd, process.tail());
  const of = Object.fromEntries(own.map((line) => [line.event, line]));
  const at = Object.fromEntries(own.map((line) => [line.event, lines.indexOf(line)]));
  assert.equal(at['shutdown.end'], lines.length - 1, 'nothing follows the end');
  const ends = lines.filter(({event}) => kEnd.includes(event)).map((line) => lines.indexOf(line));
  assert.ok(ends.every((i) => i < at['shutdown.app'] && (sessions === 0 || i > at['shutdown.waiting'])), process.tail());
  assert.deepEqual([of['drain.begin'].sessions, of['shutdown.begin'].sessions, of['store.shutdown.begin'].count, of['store.shutdown.end'].graceful],
                   [sessions, sessions, sessions, sessions], process.tail());
  assert.deepEqual([of['store.shutdown.end'].forced, of['drain.end'].stored, of['drain.begin'].reason, of['shutdown.begin'].signal],
                   [0, sessions, reason, signal], process.tail());
  assert.deepEqual([of['shutdown.end'].exit_code, of['shutdown.end'].pid, exit.code], [0, process.pid, 0]);
  checkTimes(of);
  checkBackground(process, lines, at);
}

// What goes on behind the sessions of a worker says how long its end took, while the process waits for it.
function checkBackground(process, lines, at) {
  const stopped = lines.filter(({event}) => /^(assessments|retention)\.stopped$/.test(event));
  const isWorker = logged(process, 'worker.started').length > 0;
  assert.deepEqual(eventsOf(stopped), isWorker ? ['assessments.stopped', 'retention.stopped'] : [], process.tail());
  for (const line of stopped) {
    assert.ok(lines.indexOf(line) > at['shutdown.waiting'] && lines.indexOf(line) < at['shutdown.app'], process.tail());
    assert.ok(line.ms <= kBackgroundMaxMs * patience, JSON.stringify(line));
  }
}

function checkTimes(of) {
  assert.ok(of['shutdown.waiting'].tasks > 0);
  assert.ok(of['shutdown.begin'].deadline_ms <= kBudgetMs && of['shutdown.begin'].deadline_ms > kBudgetMs / 2, JSON.stringify(of['shutdown.begin']));
  assert.ok(of['store.shutdown.end'].ms <= of['drain.end'].ms && of['drain.end'].ms <= of['shutdown.end'].ms, JSON.stringify(of));
  assert.ok(of['shutdown.end'].ms <= kBudgetMs * patience, JSON.stringify(of['shutdown.end']));
  const elapsed = Date.parse(of['shutdown.end'].ts) - Date.parse(of['shutdown.begin'].ts);
  assert.ok(elapsed <= kBudgetMs * patience, `${elapsed} ms from begin to end`);
}

const kDraining = {reason: 'draining', code: 1001};

// By a signal, or by an operator's call.
async function tellToGo(process, means) {
  if (means in kSignals) {
    process.kill(means);
  } else {
    const admin = await AdminClient.of(process);
    await admin.drain({then: 'EXIT', reason: 'an upgrade'});
    admin.close();
  }
  return process.waitForExit(kBudgetMs + 2000, means);
}

// The process with this role goes, and with it all sessions; then the other one, which has none any more.
async function checkGone(role, means, count, {profile, prepare = () => {}, check = () => {}, ...more} = {}) {
  const fleet = await Fleet.start({workers: 1});
  try {
    const clients = await connect(fleet, count, {profile});
    await prepare(fleet, clients);
    const first = role === 'gateway' ? fleet.gateway : fleet.workers[0];
    const told = {reason: means in kSignals ? 'signal' : 'an upgrade', signal: kSignals[means] ?? 0};
    checkProcess(first, {exit: await tellToGo(first, means), sessions: count, ...told});
    await allSaid(fleet, idsOf(clients));
    const second = processesOf(fleet).find((process) => process !== first);
    checkProcess(second, {exit: await tellToGo(second, means), sessions: 0, ...told});
    checkSessions(fleet, idsOf(clients), {...kDraining, ...more});
    checkAllSessions(fleet, idsOf(clients));
    check(fleet);
  } catch (error) {
    error.stack += `\n${fleet.logs()}`;
    throw error;
  } finally {
    await fleet.kill();
  }
}

// An operator's call after which the worker stays says no word of a shutdown; that follows when it is told to go.
async function checkStays(count) {
  await withFleet({workers: 1}, async (fleet) => {
    const [worker] = fleet.workers;
    const clients = await connect(fleet, count);
    const admin = await AdminClient.of(worker);
    await admin.drain({reason: 'an upgrade'});
    admin.close();
    const own = () => linesOf(worker).filter(({event}) => kProcessEvent.test(event));
    await waitUntil(() => own().length >= 2, {ms: 5000 * patience, what: 'the end of the drain in the log', got: () => worker.tail()});
    assert.deepEqual(eventsOf(own()), ['drain.begin', 'drain.end']);
    assert.deepEqual([own()[0].sessions, own()[0].reason, own()[1].stored], [count, 'an upgrade', count]);
    const exit = await worker.stop('SIGTERM');
    assert.deepEqual(eventsOf(own()), ['drain.begin', 'drain.end', 'drain.joined', ...kProcessEnd.slice(1)]);
    assert.deepEqual([own().at(-1).exit_code, exit.code], [0, 0]);
    await allSaid(fleet, idsOf(clients));
    checkSessions(fleet, idsOf(clients), kDraining);
    checkAllSessions(fleet, idsOf(clients));
  });
}

async function beAssessed(fleet, clients) {
  await fleet.fault('responses_hang');
  clients.forEach((client) => client.send({type: 'voicebridge.assessment.request'}));
  await Promise.all(clients.map((client) => client.waitFor('voicebridge.assessment.started')));
  await waitUntil(() => logged(fleet.workers[0], 'assessment.claimed').length === clients.length, {ms: 5000 * patience, what: 'the model to be asked'});
}

// They come every three seconds, and do not wait for the next one. The fastest of a few, for the machine has other work.
async function signsOfLifeStop() {
  let fastest = Infinity;
  const check = ({workers: [worker]}) => {
    const [began, ...stopped] = [...logged(worker, 'shutdown.begin'), ...logged(worker, 'keepalive.stopped')].map(({ts}) => Date.parse(ts));
    fastest = Math.min(fastest, Math.max(...stopped) - began);
  };
  for (let i = 0; i < 5 && fastest > kKeepaliveMaxMs; ++i) {
    await checkGone('worker', 'SIGTERM', 2, {profile: 'interview', prepare: beAssessed, keepalive: true, check});
  }
  assert.ok(fastest <= kKeepaliveMaxMs * patience, `${fastest} ms`);
}

describe('processes that are drained say so in order, with their sessions', {concurrency: 4}, () => {
  for (const count of [0, 1, kMany]) {
    for (const means of [...Object.keys(kSignals), 'an operator']) {
      for (const role of ['gateway', 'worker']) {
        test(`a ${role} with ${count} sessions that is told to go by ${means}`, () => checkGone(role, means, count));
      }
    }
    test(`a worker with ${count} sessions that is drained by an operator, and told to go later`, () => checkStays(count));
  }
  test('a worker that writes reports: the signs of life stop at once, and before the bridge is gone', signsOfLifeStop);
});
