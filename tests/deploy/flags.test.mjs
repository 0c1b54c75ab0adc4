// Each command line of the deployment files is one that the built programs take: a flag that is renamed is found here.
import {strict as assert} from 'node:assert';
import {execFileSync, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';

import {root, runBinary} from '../process/harness.mjs';
import {ctlProblem, flagProblem, makeSecrets} from './harness/check.mjs';
import {processes} from './harness/commands.mjs';
import {read} from './harness/yaml.mjs';

let secrets;
before(() => {
  secrets = makeSecrets();
});
after(() => secrets.remove());

for (const each of processes()) {
  test(`${each.where}: its flags are known and fit together`, async () => {
    assert.equal(await flagProblem(each, secrets.directory), undefined);
    for (const script of each.drains) {
      assert.equal(await ctlProblem(each.where, script, secrets.directory), undefined);
    }
  });
}

test('a flag that there is not is found, in a command line, an environment and a drain', async () => {
  for (const each of processes()) {
    assert.match(await flagProblem({...each, args: [...each.args, '--renamed=1']}, secrets.directory), /--renamed/);
  }
  const [gateway] = processes();
  assert.match(await flagProblem({...gateway, env: {...gateway.env, VOICEBRIDGE_RENAMED: '1'}}, secrets.directory), /VOICEBRIDGE_RENAMED/);
  assert.match(await ctlProblem('', 'exec voicebridgectl drain localhost:9091 --renamed=1', secrets.directory), /unknown flag --renamed/);
});

// Of docker, kubectl and systemctl.
const kForeign = ['build', 'scale', 'from-file', 'now', 'grace-period', 'force', 'no-deps', 'no-recreate'];

test('each flag that deploy/README.md speaks of is one of a program of ours', async () => {
  const programs = ['voicebridge-gateway', 'voicebridge-worker', 'voicebridgectl', 'realtime-simulator', 'voicebridge-load'];
  const helps = await Promise.all(programs.map((program) => runBinary(program, ['--help'])));
  const flagsIn = (text) => [...text.matchAll(/(?<![\w-])--([a-z][a-z_-]*)(?![A-Za-z])/g)].map(([, flag]) => flag);
  const known = new Set([...kForeign, ...helps.flatMap(({stdout, stderr}) => flagsIn(stdout + stderr))]);
  assert.deepEqual([...new Set(flagsIn(read('README.md')))].filter((flag) => !known.has(flag)), []);
  assert.ok(!known.has('renamed'));
});

test('secrets are made once: a second run changes none and prints no key', () => {
  const files = fs.readdirSync(secrets.directory).filter((file) => !file.endsWith('.srl'));
  const texts = () => files.map((file) => fs.readFileSync(path.join(secrets.directory, file), 'utf8'));
  const first = texts();
  const said = execFileSync(path.join(root, 'deploy/make-secrets'), [secrets.directory], {encoding: 'utf8'});
  assert.deepEqual(texts(), first);
  assert.equal(said, '');
  const [, key] = /^API key "first": (vb_[0-9a-f]{48})$/m.exec(secrets.said);
  assert.ok(first.every((text) => !text.includes(key)), 'it is kept nowhere');
  assert.equal(fs.statSync(secrets.directory).mode & 0o777, 0o700);
  assert.equal(fs.statSync(path.join(secrets.directory, 'peer-ca.key')).mode & 0o777, 0o600);
});

test('secrets are not put where others can read them', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-open-'));
  try {
    fs.chmodSync(directory, 0o755);
    const {status, stderr} = spawnSync(path.join(root, 'deploy/make-secrets'), [directory], {encoding: 'utf8'});
    assert.equal(status, 1);
    assert.match(stderr, /others can look into/);
    assert.deepEqual(fs.readdirSync(directory), []);
  } finally {
    fs.rmSync(directory, {recursive: true});
  }
});
