// Upstreams that go silent: the limits of time that end a session. These tests wait side by side.
import {strict as assert} from 'node:assert';
import {describe} from 'node:test';

import {patience, silence} from './harness.mjs';
import {checkFailed, checkLogged, checkWentOn, errorsOf, faultTest, stillServes} from './harness/faults.mjs';

const kHandshakeMax = 10000;     // limits::kHandshakeMax
const kPauseMax = 10000;         // limits::kPauseMax
const kPongMax = 40000;          // Twice limits::kPingInterval.
const kResponseStartMax = 10000;  // ResponseGate::kStartMax

function checkTime(waited, expected) {
  assert.ok(waited >= expected - 1500 && waited <= (expected + 2500) * patience, `told after ${Math.round(waited)} ms, expected ${expected} ms`);
}

function notReadyInTime(fault, arg) {
  return async (fleet) => {
    await fleet.fault(fault, arg);
    const client = fleet.dial();
    await client.opened();
    const {waited} = await checkFailed(fleet, client, {reason: 'upstream_unavailable', code: 1013, ms: kHandshakeMax + 5000});
    checkTime(waited, kHandshakeMax);
    assert.ok(!client.typesSeen().includes('session.created'));
    await stillServes(fleet);
  };
}

describe('an upstream that takes too long', {concurrency: true}, () => {
  faultTest('mute', 'silence after the upgrade ends with the handshake budget', notReadyInTime('mute', 0));
  faultTest('accept_delay', 'so does an upgrade that is not answered', notReadyInTime('accept_delay', 60000));
  faultTest('configure_delay', 'and a session.updated that does not come', notReadyInTime('configure_delay', 60000));

  faultTest('mute', 'an upstream that takes nothing more is upstream_stalled', async (fleet) => {
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
      await checkFailed(fleet, client, {reason: 'upstream_stalled', code: 1011, ms: kPauseMax + 12000});
    } finally {
      clearInterval(feeding);
    }
    assert.ok(performance.now() - started >= kPauseMax - 500, 'not before the pause has lasted its limit');
    await stillServes(fleet);
  });

  faultTest('stalled_pongs', 'the user is told that nothing answers, and that the connection is lost', async (fleet) => {
    await fleet.fault('stalled_pongs');
    const client = await fleet.connect();
    client.send({type: 'response.create', event_id: 'r1'});
    const late = await client.waitForError('r1', kResponseStartMax + 3000);
    assert.equal(late.error.code, 'response_start_timeout');
    await checkLogged(fleet.workers[0], 'response.late', {session: client.about.session_id, level: 'warning', reason: 'response_start_timeout'});
    await checkFailed(fleet, client, {reason: 'upstream_lost', code: 1011, ms: kPongMax + 5000});
    checkTime(performance.now() - client.about.at, kPongMax);
    await stillServes(fleet);
  });

  faultTest('error_without_event_id', 'a response that is refused so is given up in time, and the next one works', async (fleet) => {
    const client = await fleet.connect();
    await fleet.fault('error_without_event_id', undefined, {session: (await fleet.journal()).sessions[0].id});
    client.send({type: 'response.create', event_id: 'r1', response: {input: [{type: 'item_reference', id: 'item_none'}]}});
    assert.equal((await client.waitForError()).error.code, 'item_not_found');
    const late = await client.waitForError('r1', kResponseStartMax + 3000);
    assert.equal(late.error.code, 'response_start_timeout');
    assert.equal(errorsOf(client).length, 2);
    await checkWentOn(fleet, client);
  });
});
