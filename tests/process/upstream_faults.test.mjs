// An upstream that refuses, stalls, floods or cuts: what the client is told, how soon, and that the worker
// goes on serving.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {checkEnd, checkTurn, patience, sanitized, silence, waitUntil, withFleet} from './harness.mjs';

const kHandshakeMax = 10000;  // limits::kHandshakeMax
const kPauseMax = 10000;      // limits::kPauseMax
const kCloseMax = 1000;       // limits::kCloseMax

// One worker, so that the session after the fault is served by the process that has just suffered it.
const withWorker = (body) => withFleet({workers: 1, refused: 'any'}, body);

async function stillServes(fleet) {
  await fleet.clearFaults();
  await checkTurn(fleet, await fleet.connect());
}

// The session ends before it is ready.
function neverReady(name, {fault, arg, reason, code, atLeast = 0, within = 3000}) {
  test(`${name}: ${reason}, close ${code}`, () => withWorker(async (fleet) => {
    await fleet.fault(fault, arg);
    const client = fleet.dial();
    await client.opened();
    const {waited} = await checkEnd(client, {reason, code, ms: within + 1000});
    assert.ok(waited >= atLeast && waited <= within * patience, `told after ${Math.round(waited)} ms, expected ${atLeast} to ${within} ms`);
    assert.ok(!client.typesSeen().includes('voicebridge.session.ready'), 'a session that failed was never called ready');
    assert.ok(!client.typesSeen().includes('session.created'));
    await stillServes(fleet);
    assert.equal((await fleet.ended(reason)).gateway, 1, 'counted under its reason');
  }));
}

neverReady('HTTP 401 at the upgrade', {fault: 'refuse', arg: 401, reason: 'upstream_refused', code: 1011});
neverReady('HTTP 403 at the upgrade', {fault: 'refuse', arg: 403, reason: 'upstream_refused', code: 1011});
neverReady('HTTP 429 at the upgrade', {fault: 'refuse', arg: 429, reason: 'upstream_unavailable', code: 1013});
neverReady('HTTP 503 at the upgrade', {fault: 'refuse', arg: 503, reason: 'upstream_unavailable', code: 1013});
neverReady('an invalid key told after the upgrade', {fault: 'bad_key', reason: 'upstream_refused', code: 1011});
neverReady('a reset right after the upgrade', {fault: 'drop', reason: 'upstream_unavailable', code: 1013});
neverReady('silence right after the upgrade', {
  fault: 'mute', arg: 0, reason: 'upstream_unavailable', code: 1013, atLeast: kHandshakeMax - 1500, within: kHandshakeMax + 1500,
});
neverReady('session.created later than the handshake budget', {
  fault: 'accept_delay', arg: 60000, reason: 'upstream_unavailable', code: 1013, atLeast: kHandshakeMax - 1500, within: kHandshakeMax + 1500,
});
neverReady('session.updated later than the handshake budget', {
  fault: 'configure_delay', arg: 60000, reason: 'upstream_unavailable', code: 1013, atLeast: kHandshakeMax - 1500, within: kHandshakeMax + 1500,
});

test('delays within the handshake budget only delay', () => withWorker(async (fleet) => {
  await fleet.fault('accept_delay', 700);
  await fleet.fault('configure_delay', 700);
  const started = performance.now();
  const client = await fleet.connect();
  assert.ok(performance.now() - started >= 1400, 'session.created waits until the upstream is configured');
  await checkTurn(fleet, client);
}));

test('an upstream that cuts in the middle of a reply: upstream_lost, close 1011', () => withWorker(async (fleet) => {
  await fleet.fault('drop_after', 20);
  const client = await fleet.connect();
  client.send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text: 'hello, how are you today?'}]}});
  client.send({type: 'response.create'});
  await checkEnd(client, {reason: 'upstream_lost', code: 1011});
  await stillServes(fleet);
}));

test('an upstream that reads nothing more: upstream_stalled once the pause is over', () => withWorker(async (fleet) => {
  await fleet.fault('mute');
  const client = await fleet.connect();
  const frame = silence(1000).toString('base64');
  const started = performance.now();
  // Fills what the kernels and the queues hold on the way, then waits like any client would.
  const feeding = setInterval(() => {
    for (let i = 0; i < 8 && client.socket.bufferedAmount < (8 << 20) && !client.closed; ++i) {
      client.send({type: 'input_audio_buffer.append', audio: frame});
    }
  }, 10);
  try {
    await checkEnd(client, {reason: 'upstream_stalled', code: 1011, ms: kPauseMax + 12000});
  } finally {
    clearInterval(feeding);
  }
  assert.ok(performance.now() - started >= kPauseMax - 500, 'not before the pause has lasted its limit');
  await stillServes(fleet);
}));

test('an upstream that never answers a close costs the worker no more than the close limit', () => withWorker(async (fleet) => {
  await fleet.fault('no_close');
  const client = await fleet.connect();
  await client.close();
  const started = performance.now();
  await waitUntil(async () => (await fleet.gauges())['worker-1'].sessions === 0, {
    ms: (kCloseMax + 1500) * patience, what: 'the worker to let go of the session', got: async () => JSON.stringify(await fleet.gauges()),
  });
  assert.ok(performance.now() - started < (kCloseMax + 1000) * patience);
  await stillServes(fleet);
}));

test('a flood reaches a client that reads, in full and in bounded memory', () => withWorker(async (fleet) => {
  const mebibytes = 48;
  const before = {gateway: fleet.gateway.stats().rssKiB, worker: fleet.workers[0].stats().rssKiB};
  await fleet.fault('flood', mebibytes);
  const client = await fleet.connect();
  const peak = {gateway: 0, worker: 0};
  const received = () => [...client.audio.values()].reduce((sum, audio) => sum + audio.bytes, 0);
  const sent = async () => {
    const [session] = (await fleet.journal()).sessions;
    return session.responses.flatMap((response) => response.items).reduce((sum, item) => sum + item.audio_bytes, 0);
  };
  await waitUntil(async () => {
    peak.gateway = Math.max(peak.gateway, fleet.gateway.stats().rssKiB);
    peak.worker = Math.max(peak.worker, fleet.workers[0].stats().rssKiB);
    return received() > ((mebibytes - 1) << 20) * 0.74 && received() === await sent();  // Of base64.
  }, {ms: 30000 * patience, every: 50, what: 'the whole flood', got: () => `${received()} bytes`});
  for (const name of sanitized ? [] : ['gateway', 'worker']) {  // A sanitizer keeps what is freed.
    assert.ok(peak[name] - before[name] < 24 * 1024, `${name} grew by ${peak[name] - before[name]} KiB while ${mebibytes} MiB passed`);
  }
  await client.close();
  await stillServes(fleet);
}));

test("an upstream session that reaches OpenAI's longest duration: session_limit, close 1008", () => withWorker(async (fleet) => {
  await fleet.fault('expire', 1);
  const client = await fleet.connect();
  await checkEnd(client, {reason: 'session_limit', code: 1008});
  await stillServes(fleet);
}));

test('an upstream that is not there: upstream_unavailable, close 1013', () => withFleet({workers: 1, refused: 'any', workerFlags: ['--upstream_url=ws://127.0.0.1:1/v1/realtime']}, async (fleet) => {
  const client = fleet.dial();
  await client.opened();
  await checkEnd(client, {reason: 'upstream_unavailable', code: 1013});
}));
