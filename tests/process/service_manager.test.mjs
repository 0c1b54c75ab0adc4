// A gateway and a worker as services of systemd: they say when they are ready, that they drain, and that they stop.
import {strict as assert} from 'node:assert';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {createInterface} from 'node:readline';
import {describe, test} from 'node:test';

import {patience, runBinary, waitUntil, withFleet} from './harness.mjs';

// Node has no sockets of this kind: Python prints what comes, one message a line.
const kListener = `
import socket, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1].replace('@', '\\0', 1))
print('bound', flush=True)
while True:
  print(repr(server.recv(4096).decode()), flush=True)
`;

class ServiceManager {
  static async start(address) {
    const manager = new ServiceManager(address);
    await manager.hears('bound');
    return manager;
  }

  constructor(address) {
    this.heard = [];
    this.child = spawn('python3', ['-c', kListener, address], {stdio: ['ignore', 'pipe', 'inherit']});
    createInterface({input: this.child.stdout}).on('line', (line) => this.heard.push(line.replace(/^'|'$/g, '')));
  }

  hears(wanted) {
    const matches = (text) => (wanted instanceof RegExp ? wanted.test(text) : text === wanted);
    return waitUntil(() => this.heard.some(matches), {ms: 5000 * patience, what: `"${wanted}"`, got: () => JSON.stringify(this.heard)});
  }

  stop() {
    this.child.kill('SIGKILL');
  }
}

const kReady = 'READY=1\\nSTATUS=serving';

async function withManagers(body) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-notify-'));
  const addresses = [path.join(directory, 'gateway'), `@voicebridge-${process.pid}-${path.basename(directory)}`];
  const managers = await Promise.all(addresses.map((address) => ServiceManager.start(address)));
  try {
    const [gatewayEnv, workerEnv] = addresses.map((address) => ({NOTIFY_SOCKET: address}));
    await withFleet({workers: 1, gatewayEnv, workerEnv}, (fleet) => body(fleet, ...managers));
  } finally {
    managers.forEach((manager) => manager.stop());
    fs.rmSync(directory, {recursive: true});
  }
}

describe('under a service manager', {concurrency: true}, () => {
  test('ready once all listeners are, stopping from the signal on, with the time that it may take', () => withManagers(async (fleet, ofGateway, ofWorker) => {
    for (const [process, manager] of [[fleet.gateway, ofGateway], [fleet.workers[0], ofWorker]]) {
      await manager.hears(kReady);
      assert.deepEqual(manager.heard, ['bound', kReady]);
      await process.stop('SIGTERM');
      await manager.hears(/^EXTEND_TIMEOUT_USEC=/);
      const [, , draining, stopping, extended, ...more] = manager.heard;
      assert.deepEqual([draining, stopping, ...more], ['STATUS=draining, 0 sessions', 'STOPPING=1']);
      const seconds = Number(extended.split('=')[1]) / 1e6;
      assert.ok(seconds > 3 && seconds <= 5, `the budget and two seconds: ${seconds}`);
    }
  }));

  test('a drain that stays is no stop; serving again is said, too', () => withManagers(async (fleet, _, ofWorker) => {
    const admin = await fleet.workers[0].listening('admin');
    await runBinary('voicebridgectl', ['drain', admin, '--mode=close']);
    await ofWorker.hears('STATUS=draining, 0 sessions');
    await runBinary('voicebridgectl', ['undrain', admin]);
    await ofWorker.hears('STATUS=serving');
    assert.deepEqual(ofWorker.heard, ['bound', kReady, 'STATUS=draining, 0 sessions', 'STATUS=serving']);
  }));

  test('nobody there at the address: a warning, and it serves', () => withFleet({workers: 1, workerEnv: {NOTIFY_SOCKET: '/nowhere/notify'}}, async (fleet) => {
    const warned = fleet.workers[0].lines.find(({text}) => text.includes('service_manager.not_told'));
    assert.match(warned.text, /"level":"warning".*No such file or directory/);
  }));
});
