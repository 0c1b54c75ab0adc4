// The official SDKs, unmodified and pinned, converse through the gateway over TLS: only URL and key differ.
import {strict as assert} from 'node:assert';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import {fileURLToPath} from 'node:url';

import {allItems, allUserItems, run, root, sha256, silence, speech, withFleet} from '../process/harness.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const kApiKey = 'sk-test-sdk-key';
const {model: kModel} = JSON.parse(fs.readFileSync(path.join(root, 'bridge_worker/profiles/assistant.json')));

// A certificate for 127.0.0.1 that is its own authority.
function makeCertificate(dir) {
  const tls = {cert: path.join(dir, 'cert.pem'), key: path.join(dir, 'key.pem')};
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=voicebridge test',
    '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost', '-keyout', tls.key, '-out', tls.cert,
  ], {stdio: 'ignore'});
  return tls;
}

async function withTlsFleet(body) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-tls-'));
  try {
    const tls = makeCertificate(dir);
    await withFleet({tls, apiKeys: {sdk: kApiKey}}, (fleet) => body(fleet, tls, dir));
  } finally {
    fs.rmSync(dir, {recursive: true});
  }
}

async function runProgram(script, args, tls) {
  const result = await run(process.execPath, [path.join(here, script), ...args], {ms: 60000, env: {NODE_EXTRA_CA_CERTS: tls.cert, OPENAI_AGENTS_DISABLE_TRACING: '1'}});
  assert.equal(result.code, 0, `${script}: ${result.stderr}`);
  return JSON.parse(result.stdout.trim().split('\n').at(-1));
}

function writePcm(dir, pcm) {
  const file = path.join(dir, 'speech.pcm');
  fs.writeFileSync(file, pcm);
  return file;
}

async function spokenItem(fleet, digest) {
  return allItems(await fleet.journal()).find((item) => item.audio_sha256 === digest);
}

test('the official openai SDK: client secret, text turn, audio turn, function call', {timeout: 120000}, () => withTlsFleet(async (fleet, tls, dir) => {
  const pcm = speech('vm-goodbye');
  const seen = await runProgram('openai_session.mjs', [`${fleet.httpUrl}/v1`, kApiKey, kModel, writePcm(dir, pcm)], tls);
  assert.deepEqual(seen.errors, []);
  assert.equal(seen.secret.prefix, 'ek_');
  assert.equal(seen.session.instructions, 'Be brief.', 'the session of the client secret');
  assert.equal(seen.text.text, 'You said: Good evening');
  assert.equal(seen.audio.status, 'completed');
  assert.match(seen.audio.transcript, /I heard you speak/);
  assert.ok(await spokenItem(fleet, seen.audio.sha256), 'the reply is what the simulator spoke');
  assert.deepEqual(allUserItems(await fleet.journal()).map((item) => item.sha256), [sha256(pcm)]);
  assert.equal(seen.functionCall.name, 'get_weather');
  assert.deepEqual(JSON.parse(seen.functionCall.arguments), {city: 'Lisbon'});
  assert.match(seen.functionCall.answer, /The tool answered: sunny/);
  assert.equal(seen.closeCode, 1000);
}));

test('@openai/agents-realtime over WebSocket: text turn, function call, audio turn', {timeout: 120000}, () => withTlsFleet(async (fleet, tls, dir) => {
  const pcm = Buffer.concat([silence(400), speech('vm-goodbye'), silence(1500)]);
  const seen = await runProgram('agents_session.mjs', [`${fleet.url}/v1/realtime?model=${kModel}`, kApiKey, kModel, writePcm(dir, pcm)], tls);
  assert.deepEqual(seen.errors, []);
  assert.equal(seen.text.text, 'You said: Good evening');
  assert.ok(await spokenItem(fleet, seen.text.sha256), 'the spoken text is what the simulator spoke');
  assert.deepEqual(seen.toolCalls, ['Lisbon'], 'the tool ran once, in the client');
  assert.match(seen.functionCall.text, /The tool answered: sunny in Lisbon/);
  assert.match(seen.audio.text, /I heard you speak/);
  assert.ok(await spokenItem(fleet, seen.audio.sha256), 'the reply is what the simulator spoke');
  const [heard] = allUserItems(await fleet.journal());
  assert.equal(heard.by, 'vad');
  assert.ok(heard.bytes > 24000, `the utterance was heard: ${heard.bytes} bytes`);
  assert.ok(seen.history.some((item) => item.type === 'function_call'), JSON.stringify(seen.history));
}));

test('a certificate that is not trusted stops the SDK before a word is said', () => withTlsFleet(async (fleet, tls, dir) => {
  const result = await run(process.execPath, [path.join(here, 'openai_session.mjs'), `${fleet.httpUrl}/v1`, kApiKey, kModel, writePcm(dir, silence(100))], {ms: 30000});
  assert.equal(result.code, 1);
  assert.equal((await fleet.journal()).sessions.length, 0);
}));
