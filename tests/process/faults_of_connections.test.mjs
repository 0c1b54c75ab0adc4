// Upstream connections that break, flood, or carry what few peers send.
import {strict as assert} from 'node:assert';
import {once} from 'node:events';
import http from 'node:http';

import {allItems, checkTurn, findItem, patience, sanitized, waitUntil, within} from './harness.mjs';
import {checkFailed, checkWentOn, errorsOf, faultTest, stillServes} from './harness/faults.mjs';

const kCloseMax = 1000;  // limits::kCloseMax
const upstreamSession = async (fleet) => (await fleet.journal()).sessions.at(-1).id;

faultTest('drop', 'a reset while the user speaks is upstream_lost', async (fleet) => {
  const client = await fleet.connect();
  await fleet.fault('drop', undefined, {session: await upstreamSession(fleet)});
  await checkFailed(fleet, client, {reason: 'upstream_lost', code: 1011});
  await stillServes(fleet);
});

faultTest('drop_after', 'a reset in the middle of a reply is upstream_lost', async (fleet) => {
  await fleet.fault('drop_after', 20);
  const client = await fleet.connect();
  client.send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text: 'hello, how are you today?'}]}});
  client.send({type: 'response.create'});
  await checkFailed(fleet, client, {reason: 'upstream_lost', code: 1011});
  assert.ok(client.audio.size > 0, 'the user has heard the beginning');
  assert.ok(!client.typesSeen().includes('response.done'));
  await stillServes(fleet);
});

function closedWith(upstreamCode, reason) {
  return async (fleet) => {
    const client = await fleet.connect();
    await fleet.fault('close_with', upstreamCode, {session: await upstreamSession(fleet)});
    const {ended} = await checkFailed(fleet, client, {reason, code: 1011});
    assert.match(ended.message, new RegExp(`close code ${upstreamCode}`));
    await stillServes(fleet);
  };
}

faultTest('close_with', '1011 in mid-session is upstream_lost', closedWith(1011, 'upstream_lost'));
faultTest('close_with', '3000 in mid-session is upstream_refused', closedWith(3000, 'upstream_refused'));
faultTest('close_with', '4000 in mid-session is upstream_refused', closedWith(4000, 'upstream_refused'));
faultTest('close_with', 'with the first breath the session was ready, and is lost', async (fleet) => {
  await fleet.fault('close_with', 1012);
  const client = fleet.dial();
  await client.opened();
  await checkFailed(fleet, client, {reason: 'upstream_lost', code: 1011});
  await stillServes(fleet);
});

faultTest('no_close', 'an upstream that never answers a close costs the worker no more than the close limit', async (fleet) => {
  await fleet.fault('no_close');
  const client = await fleet.connect();
  await client.close();
  const started = performance.now();
  await waitUntil(async () => (await fleet.gauges())['worker-1'].sessions === 0, {
    ms: (kCloseMax + 1500) * patience, what: 'the worker to let go of the session', got: async () => JSON.stringify(await fleet.gauges()),
  });
  assert.ok(performance.now() - started < (kCloseMax + 1000) * patience);
  await stillServes(fleet);
});

faultTest('expire', "OpenAI's longest duration is session_limit", async (fleet) => {
  await fleet.fault('expire', 1);
  const client = await fleet.connect();
  await checkFailed(fleet, client, {reason: 'session_limit', code: 1008});
  assert.ok(errorsOf(client).some((event) => event.error.code === 'session_expired'), "OpenAI's own error comes first");
  await stillServes(fleet);
});

faultTest('flood', 'a client that reads gets all of it, in bounded memory', async (fleet) => {
  const mebibytes = 48;
  const before = {gateway: fleet.gateway.stats().rssKiB, worker: fleet.workers[0].stats().rssKiB};
  await fleet.fault('flood', mebibytes);
  const client = await fleet.connect();
  const peak = {gateway: 0, worker: 0};
  const received = () => [...client.audio.values()].reduce((sum, audio) => sum + audio.bytes, 0);
  const sent = async () => allItems(await fleet.journal()).reduce((sum, item) => sum + item.audio_bytes, 0);
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
});

// A session of the simulator as it is on the wire: the chunks that a socket brings, and how it ends.
async function rawSession(fleet) {
  const call = http.get(`${fleet.simulatorUrl}/v1/realtime?model=gpt-realtime-2.1`, {
    headers: {Authorization: 'Bearer k', Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': 13, 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ=='},
  });
  const [, socket, head] = await within(once(call, 'upgrade'), 3000 * patience, 'the upgrade');
  const chunks = [head];
  socket.on('data', (chunk) => chunks.push(chunk));
  const ended = new Promise((resolve) => {
    socket.on('error', resolve);
    socket.on('close', resolve);
  });
  const bytes = () => Buffer.concat(chunks);
  await waitUntil(() => bytes().length >= 500, {ms: 3000 * patience, what: 'session.created', got: bytes});
  return {socket, chunks, bytes: bytes(), ended};
}

// Nothing of it reaches the user: the turns are as always.
function unnoticed(fault, arg) {
  return async (fleet) => {
    await fleet.fault(fault, arg);
    const client = await fleet.connect();
    await checkTurn(fleet, client);
    assert.deepEqual((await fleet.journal()).sessions[0].faults, [arg === undefined ? fault : `${fault}:${arg}`]);
    await checkWentOn(fleet, client);
    assert.equal(errorsOf(client).length, 0);
  };
}

faultTest('split_tcp', 'frames in pieces are whole for the user', unnoticed('split_tcp'));
faultTest('fragmented', 'messages in fragments are whole for the user', unnoticed('fragmented'));
faultTest('fragmented', 'fragments in pieces, too', async (fleet) => {
  await fleet.fault('split_tcp');
  await fleet.fault('fragmented');
  await checkWentOn(fleet, await fleet.connect());
});

faultTest('split_tcp', 'on the wire, frames come in pieces', async (fleet) => {
  await fleet.fault('split_tcp');
  const {socket, bytes, chunks} = await rawSession(fleet);
  socket.destroy();
  assert.equal(bytes[0], 0x81, 'one text frame');
  assert.ok(chunks.length >= 4, `${chunks.length} chunks`);
});

faultTest('fragmented', 'on the wire, messages come in several frames', async (fleet) => {
  await fleet.fault('fragmented');
  const {socket, bytes} = await rawSession(fleet);
  socket.destroy();
  assert.deepEqual([...bytes.subarray(0, 4)], [0x01, 1, '{'.charCodeAt(0), 0x00], 'a first fragment of one byte, and another');
});

faultTest('drop', 'on the wire, it is a reset', async (fleet) => {
  const {ended} = await rawSession(fleet);
  await fleet.fault('drop', undefined, {session: await upstreamSession(fleet)});
  assert.equal((await within(ended, 3000 * patience, 'the reset')).code, 'ECONNRESET');
});

faultTest('unknown_events', 'they reach the client as they are, and the turn is complete', async (fleet) => {
  await fleet.fault('unknown_events');
  const client = await fleet.connect();
  const {audio} = await checkTurn(fleet, client);
  const news = client.events.filter((event) => event.type === 'response.novelty.delta');
  assert.ok(news.length > 3);
  assert.deepEqual(news[0].delta, {type: 'error', item: []});
  assert.deepEqual(client.events.find((event) => event.type === 'response.done').novelty, {since: 'tomorrow', values: [1, null, 'three']});
  assert.ok(findItem(await fleet.journal(), audio.itemId));
  await checkWentOn(fleet, client);
  const metrics = await fleet.metrics(fleet.workers[0]);
  assert.ok(metrics.get('voicebridge_worker_upstream_protocol_errors_total') >= news.length, 'they are counted');
});

faultTest('huge_frame', 'an event of 3 MiB passes whole', async (fleet) => {
  await fleet.fault('huge_frame', 3, {times: 1});
  const client = await fleet.connect();
  await checkTurn(fleet, client);
  assert.equal(client.events.find((event) => event.type === 'response.done').obfuscation.length, 3 << 20);
  await checkWentOn(fleet, client);
});

faultTest('huge_frame', 'an event beyond the limit of 19 MiB is upstream_lost', async (fleet) => {
  await fleet.fault('huge_frame', 20);
  const client = await fleet.connect();
  client.send({type: 'response.create', response: {output_modalities: ['text']}});
  await checkFailed(fleet, client, {reason: 'upstream_lost', code: 1011});
  await stillServes(fleet);
});
