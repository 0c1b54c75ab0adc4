// The units: systemd itself finds nothing to object to, and they are what they promise to be.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {run} from '../process/harness.mjs';
import {kUnits, unit} from './harness/units.mjs';
import {deployDir, read} from './harness/yaml.mjs';

// systemd-analyze wants the programs to be there; what it says of the unit's text is the same.
async function verified(name, text) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-units-'));
  try {
    const file = path.join(directory, name);
    fs.writeFileSync(file, text.replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true'));
    return await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=one', file]);
  } finally {
    fs.rmSync(directory, {recursive: true});
  }
}

test('systemd-analyze finds nothing; an unknown key and a wrong value it does find', async () => {
  for (const name of kUnits) {
    const text = read(`systemd/${name}`);
    const {code, stderr} = await verified(name, text);
    assert.deepEqual({name, code, stderr}, {name, code: 0, stderr: ''});
    assert.notEqual((await verified(name, text.replace('TimeoutStopSec=10s', 'TimeoutStopSec=soon'))).stderr, '');
    assert.notEqual((await verified(name, text.replace('KillMode=', 'KillMod='))).stderr, '');
  }
});

test('each tells systemd when it is ready, drains at SIGTERM, and comes back when it dies', () => {
  assert.deepEqual(fs.readdirSync(path.join(deployDir, 'systemd')).sort(), [...kUnits].sort());
  for (const name of kUnits) {
    const values = unit(name);
    const only = (key) => values.get(key)?.join();
    assert.equal(only('Type'), 'notify');
    assert.equal(only('KillMode'), 'mixed');
    assert.equal(only('KillSignal'), undefined, 'SIGTERM');
    assert.equal(only('Restart'), 'on-failure');
    assert.equal(only('RestartPreventExitStatus'), '1 2');
    assert.equal(only('DynamicUser'), 'yes');
    assert.equal(only('CapabilityBoundingSet'), '');
  }
});

test('the workers of a host have ports and nothing else of their own', () => {
  const worker = unit('voicebridge-worker@.service');
  const own = [...worker.get('ExecStart'), ...worker.get('Environment')].join(' ').match(/\S*%i/g);
  assert.deepEqual(own, ['--admin_listen=127.0.0.1:52%i', '--ops_listen=0.0.0.0:53%i', 'VOICEBRIDGE_LISTEN=127.0.0.1:51%i']);
});

test('secrets come as credentials', () => {
  for (const name of kUnits) {
    const loaded = unit(name).get('LoadCredential').map((each) => each.split(':')[0]);
    const used = [...unit(name).get('ExecStart').join(' ').matchAll(/%d\/(\S+)/g)].map(([, credential]) => credential);
    assert.deepEqual(used.sort(), loaded.sort(), name);
  }
});
