// Tests of what an upstream can do wrong: what the user sees, what is logged, how the session ends.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkEnd, checkTurn} from './conversation.mjs';
import {withFleet} from './fleet.mjs';
import {logged} from './log.mjs';
import {patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

// The end of a session is logged as an error where somebody must act, as a warning where something failed.
const kLevels = {upstream_refused: 'error', upstream_lost: 'warning', upstream_stalled: 'warning', upstream_unavailable: 'warning'};
// The upstream's own words about a refusal may quote a key; they end at the worker.
const kNeverShown = /test-key|Incorrect API key|closed_on_request|Refused on request/;

// `fault` is a name that the simulator knows; fault_coverage.test.mjs reads it here. One worker, so that what
// follows the fault is served by the process that has just suffered it.
export function faultTest(fault, title, body) {
  test(`${fault}: ${title}`, () => withFleet({workers: 1, refused: 'any'}, async (fleet) => {
    await body(fleet);
    checkNothingLeaked(fleet);
  }));
}

export async function stillServes(fleet) {
  await fleet.clearFaults();
  const client = await fleet.connect();
  await checkTurn(fleet, client);
  await client.close();
}

// Waits for a line that has all these fields.
export async function checkLogged(process, event, fields) {
  const fits = (line) => Object.entries(fields).every(([key, value]) => line[key] === value);
  return waitUntil(() => logged(process, event).find(fits), {
    ms: 3000 * patience, what: `${process.name} to log ${event} ${JSON.stringify(fields)}`, got: () => process.tail(),
  });
}

// The session has failed: the user is told why, both processes log and count it, and nobody keeps anything of it.
export async function checkFailed(fleet, client, {reason, code, ms}) {
  const {ended, close, waited} = await checkEnd(client, {reason, code, ms});
  assert.equal(close.reason, reason, 'the close names the reason, and nothing of the upstream');
  const [worker] = fleet.workers;
  const session = client.about?.session_id ?? (await checkLogged(worker, 'session.ended', {reason, message: ended.message})).session;
  const fields = {session, reason, level: kLevels[reason] ?? 'info'};
  await checkLogged(worker, 'session.ended', {...fields, message: ended.message, tasks_left: 0});
  await checkLogged(fleet.gateway, 'session.ended', {...fields, code, tasks_left: 0});
  assert.deepEqual(await fleet.ended(reason), {gateway: 1, workers: 1}, 'counted under its reason');
  return {ended, waited};
}

// The session has survived: it has another turn, and ends because the client wants it to.
export async function checkWentOn(fleet, client) {
  await checkTurn(fleet, client);
  await client.close();
  const fields = {session: client.about.session_id, reason: 'client_closed', level: 'info'};
  await checkLogged(fleet.workers[0], 'session.ended', fields);
  await checkLogged(fleet.gateway, 'session.ended', fields);
  assert.equal((await fleet.ended('client_closed')).gateway, 1);
  assert.equal(client.events.some((event) => event.type === 'voicebridge.session.ended'), false);
}

export function errorsOf(client) {
  return client.events.filter((event) => event.type === 'error');
}

function checkNothingLeaked(fleet) {
  for (const process of [fleet.gateway, ...fleet.workers]) {
    assert.doesNotMatch(process.text(), kNeverShown, `the log of ${process.name}`);
  }
  for (const client of fleet.clients) {
    assert.doesNotMatch(JSON.stringify(client.events), kNeverShown, 'what the client was sent');
  }
}

export {logged};
