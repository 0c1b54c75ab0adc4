// WebSocket implementations that others wrote: npm ws and Debian's python3-websockets each hold a whole spoken
// turn, in both subprotocols, and use what else the RFC offers. Chromium is in tests/browser.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';

import {checkHeard, findItem, kSpokenPrompt, marked, patience, run, speech} from '../process/harness.mjs';
import {sharedFleet} from './harness/conformance.mjs';
import {WsPeer} from './peers/ws_peer.mjs';

const kJson = 'realtime';
const kBinary = 'voicebridge.binary.v1';
const shared = sharedFleet();
const pythonPeer = path.join(path.dirname(fileURLToPath(import.meta.url)), 'peers/realtime_peer.py');

// Speech that no other turn of this file has said.
let turns = 0;
const nextSpeech = () => marked(speech(kSpokenPrompt), 7, ++turns);

// What was said reached the upstream, and its answer this peer, sample for sample.
async function checkSpoken({status, item_id, bytes, sha256}, pcm) {
  assert.equal(status, 'completed');
  await checkHeard(shared.fleet, pcm);
  const generated = findItem(await shared.fleet.journal(), item_id);
  assert.ok(generated.audio_bytes > 24000, 'an answer of more than half a second');
  assert.deepEqual({bytes, sha256}, {bytes: generated.audio_bytes, sha256: generated.audio_sha256});
}

for (const protocol of [kJson, kBinary]) {
  test(`ws holds a spoken turn in ${protocol}`, async () => {
    const peer = await WsPeer.open(shared.fleet.url, [protocol]);
    assert.equal(peer.socket.protocol, protocol);
    assert.equal(peer.socket.extensions, '', 'it offered permessage-deflate, which was not agreed to');
    const pcm = nextSpeech();
    const turn = await peer.say(pcm, {binary: protocol === kBinary});
    await checkSpoken(turn, pcm);
    assert.deepEqual({by: turn.heard.by, gaps: turn.heard.gaps}, {by: protocol === kBinary ? 'binary' : 'json', gaps: 0});
    // The code comes back (section 5.5.1: "typically echos the status code"), the reason does not.
    assert.deepEqual(await peer.close(4321, 'genug für heute'), {code: 4321, reason: ''});
  });

  test(`python3-websockets holds a spoken turn in ${protocol}, with pings, large and fragmented messages`, async () => {
    const pcm = nextSpeech();
    const file = path.join(shared.fleet.dir, 'speech.pcm');
    fs.writeFileSync(file, pcm);
    // Debian's own interpreter: another one that stands before it on the PATH does not know the package.
    const {code, stdout, stderr} = await run('/usr/bin/python3', [pythonPeer, `${shared.fleet.url}/v1/realtime`, file, protocol], {ms: 60000 * patience});
    assert.equal(code, 0, stderr);
    const {turn, ...seen} = JSON.parse(stdout);
    assert.deepEqual(seen, {
      subprotocol: protocol, extensions: [], pong: true, large: true, fragmented: true, instructions: 300000, close: {code: 4321, handshake: true},
    });
    await checkSpoken(turn, pcm);
  });
}

test('ws is given the first subprotocol of its list that the gateway speaks', async () => {
  for (const [offered, chosen] of [[[kBinary, kJson], kBinary], [[kJson, kBinary], kJson], [['soap', kBinary], kBinary]]) {
    const peer = await WsPeer.open(shared.fleet.url, offered);
    assert.equal(peer.socket.protocol, chosen);
    await peer.close(1000);
  }
});

test('ws pings and is answered, also while audio comes', async () => {
  const peer = await WsPeer.open(shared.fleet.url, [kBinary]);
  assert.equal(await peer.pinged('one'), 'one');
  const pcm = nextSpeech();
  const turn = peer.say(pcm, {binary: true});
  for (let i = 0; i < 50; ++i) {
    assert.equal(await peer.pinged(`number ${i}`), `number ${i}`);
  }
  await checkSpoken(await turn, pcm);
  await peer.close(1000);
});

test('ws sends and receives large messages, whole and in fragments', async () => {
  const peer = await WsPeer.open(shared.fleet.url, []);
  const message = JSON.stringify({event_id: 'large', pad: 'ü'.repeat(4 << 20)});
  peer.socket.send(message);
  assert.equal((await peer.event('error')).error.event_id, 'large');
  const bytes = Buffer.from(message);
  for (let at = 0; at < bytes.length; at += 100001) {
    peer.socket.send(bytes.subarray(at, at + 100001), {binary: false, fin: at + 100001 >= bytes.length});
  }
  assert.equal((await peer.event('error')).error.event_id, 'large');
  peer.send({type: 'session.update', session: {type: 'realtime', instructions: 'long '.repeat(60000)}});
  assert.equal((await peer.event('session.updated')).session.instructions.length, 300000);
  await peer.close(1000);
});

test('ws is told why when it sends too much', async () => {
  const peer = await WsPeer.open(shared.fleet.url, []);
  shared.violations += 1;
  peer.socket.send('x'.repeat((16 << 20) + 1));
  assert.equal((await peer.ended()).code, 1009);
});
