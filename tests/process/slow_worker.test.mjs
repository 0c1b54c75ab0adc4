// A worker that is too busy to answer a new connection at once is waited for.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {ManagedProcess, patience, request, SlowProxy, waitUntil, withFleet} from './harness.mjs';

const kFirstByteMs = 2500;

test('a gateway finds a worker that needs 2.5 s to greet it', () => withFleet({workers: 1}, async (fleet) => {
  const proxy = await SlowProxy.start(`http://${await fleet.workers[0].listening('grpc')}`, {firstByteMs: kFirstByteMs});
  const listeners = ['--listen', '--admin_listen', '--ops_listen'].map((flag) => `${flag}=127.0.0.1:0`);
  const gateway = ManagedProcess.binary('voicebridge-gateway', [...listeners, `--workers=${new URL(proxy.url).host}`, '--insecure_no_auth']);
  try {
    const ops = `http://${await gateway.listening('ops')}`;
    await waitUntil(async () => (await request(`${ops}/readyz`)).status === 200, {
      ms: (kFirstByteMs + 3000) * patience, every: 50, what: 'the gateway to be ready', got: () => gateway.tail(5),
    });
    assert.equal((await gateway.stop('SIGTERM')).code, 0);
  } finally {
    gateway.kill('SIGKILL');
    await proxy.stop();
  }
}));
