// What compose.yaml puts together, as processes of this machine: a turn through HAProxy, with the secrets that
// make-secrets makes and the TLS before the simulator.
import {strict as assert} from 'node:assert';
import path from 'node:path';
import test from 'node:test';

import {ManagedProcess, patience, request, root, runBinary, soundFile, soundNames, waitUntil} from '../process/harness.mjs';
import {stablePort} from '../process/harness/ports.mjs';
import {makeSecrets} from './harness/check.mjs';
import {startHaproxy} from './harness/haproxy.mjs';
import {deployDir} from './harness/yaml.mjs';

const kPorts = ['--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0'];

const portOf = async (process, role) => Number((await process.listening(role)).split(':')[1]);
const answers = (url) => request(url).then(({status}) => status === 200, () => false);

async function startTls(simulator, secrets) {
  const port = await stablePort();
  const env = {UPSTREAM_LISTEN: `127.0.0.1:${port}`, SIMULATOR: simulator, SIMULATOR_CERT: path.join(secrets, 'simulator.pem')};
  return {port, process: new ManagedProcess('upstream', 'haproxy', ['-db', '-f', path.join(deployDir, 'haproxy/simulator.cfg')], {env})};
}

test('a turn through the whole of it; who has no key is refused', async () => {
  const secrets = makeSecrets();
  const file = (name) => path.join(secrets.directory, name);
  const peer = [`--peer_cert=${file('peer.pem')}`, `--peer_key=${file('peer.key')}`, `--peer_ca=${file('peer-ca.pem')}`];
  const started = [];
  const start = (name, args) => {
    started.push(ManagedProcess.binary(name, args));
    return started.at(-1);
  };
  try {
    const simulator = await start('realtime-simulator', ['--listen=127.0.0.1:0']).listening('simulator');
    const tls = await startTls(simulator, secrets.directory);
    started.push(tls.process);
    const upstream = `127.0.0.1:${tls.port}`;
    const worker = start('voicebridge-worker', [
      ...kPorts, ...peer, `--upstream_url=wss://${upstream}/v1/realtime`, `--responses_url=https://${upstream}/v1/responses`, `--upstream_ca=${file('peer-ca.pem')}`,
      `--openai_api_key_file=${file('openai-api-key')}`, `--profiles=${path.join(root, 'bridge_worker/profiles')}`,
    ]);
    const gateway = start('voicebridge-gateway', [
      ...kPorts, ...peer, `--workers=${await worker.listening('grpc')}`, `--api_keys=${file('api-keys')}`, `--signing_keys=${file('signing-keys')}`,
    ]);
    const played = {port: await portOf(gateway, 'public'), opsPort: await portOf(gateway, 'ops')};
    await waitUntil(() => answers(`http://127.0.0.1:${played.opsPort}/readyz`), {ms: 5000 * patience, what: 'the gateway to be ready'});
    const haproxy = await startHaproxy([played, played]);
    started.push(haproxy.process);
    const talk = (key) => runBinary('voicebridgectl', ['talk', `${haproxy.url.replace('http', 'ws')}/v1/realtime`, soundFile(soundNames()[0]), '--json'],
                                    {env: {VOICEBRIDGE_KEY: key}});
    const [, key] = /^API key "first": (\S+)$/m.exec(secrets.said);
    const {code, stdout, stderr} = await talk(key);
    assert.equal(code, 0, stderr);
    assert.ok(JSON.parse(stdout).audio_ms > 0, stdout);
    assert.match((await talk(`${key}0`)).stderr, /401/);

    const admin = await worker.listening('admin');
    const env = {VOICEBRIDGE_PEER_CERT: file('peer.pem'), VOICEBRIDGE_PEER_KEY: file('peer.key'), VOICEBRIDGE_PEER_CA: file('peer-ca.pem')};
    assert.match((await runBinary('voicebridgectl', ['status', admin], {env})).stdout, /^worker /, 'as in its container');
    assert.equal((await runBinary('voicebridgectl', ['status', admin])).code, 1);
  } finally {
    await Promise.all(started.map((process) => process.stop('SIGKILL')));
    secrets.remove();
  }
});
