// The images: what they say of themselves, what they need, and in the long form a conversation through all three.
import {strict as assert} from 'node:assert';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {describe, test} from 'node:test';

import {binDir, full, ManagedProcess, root, run, soundFile, soundNames, waitUntil} from '../process/harness.mjs';
import {all, packagesOf, stages} from './harness/dockerfile.mjs';
import {Images} from './harness/images.mjs';
import {deployDir} from './harness/yaml.mjs';

const kTargets = ['worker', 'gateway', 'simulator'];
const kBudgetMs = 3000;  // The default of --drain_budget.
const kEngineMs = 2000;  // What podman itself takes to notice an end.
const healthy = path.join(deployDir, 'docker/healthy');

// The Debian packages of the libraries that a program names.
function packagesNeededBy(program) {
  const lines = (command, ...args) => execFileSync(command, args, {encoding: 'utf8'}).split('\n');
  const needed = lines('readelf', '--dynamic', path.join(binDir, program)).map((line) => /\(NEEDED\).*\[(.*)\]/.exec(line)?.[1]).filter(Boolean);
  const found = lines('ldd', path.join(binDir, program)).map((line) => /^\s*(\S+) => (\S+)/.exec(line)).filter((match) => match && needed.includes(match[1]));
  // By its name in the package: /lib is a link to /usr/lib.
  return new Set(found.map(([, name]) => lines('dpkg-query', '--search', `*/x86_64-linux-gnu/${name}`)[0].split(':')[0]));
}

test('each image has the packages of the libraries that its programs name', () => {
  const programs = {gateway: ['voicebridge-gateway', 'voicebridgectl'], worker: ['voicebridge-worker', 'voicebridgectl'], simulator: ['realtime-simulator']};
  const base = ['libc6', 'libgcc-s1'];  // Of every Debian.
  for (const target of kTargets) {
    const missing = programs[target].flatMap((program) => [...packagesNeededBy(program)]).filter((name) => ![...base, ...packagesOf(target)].includes(name));
    assert.deepEqual(missing, [], target);
  }
});

test('what is copied into the images is there, and the programs are those that the build makes', () => {
  const [built] = all(stages().get('build'), 'RUN').filter((rest) => rest.includes('--target')).map((rest) => /--target ([^&]*)/.exec(rest)[1].trim().split(/ +/));
  for (const target of kTargets) {
    for (const copied of all(stages().get(target), 'COPY')) {
      const words = copied.split(/ +/).slice(0, -1);
      const ofBuild = words[0] === '--from=compiled';
      for (const word of ofBuild ? words.slice(1) : words) {
        assert.ok(ofBuild ? built.includes(word) : fs.existsSync(path.join(root, word)), `${target}: ${word}`);
      }
    }
  }
});

test('each image runs as a number that is nobody, ends by SIGTERM and says whether it is healthy', () => {
  for (const target of kTargets) {
    const stage = stages().get(target);
    assert.equal(all(stage, 'USER').at(-1), '65532:65532');
    assert.equal(all(stage, 'STOPSIGNAL').at(-1), 'SIGTERM');
    assert.match(all(stage, 'HEALTHCHECK').at(-1), /CMD \["healthy"/);
  }
});

test('the health check follows /healthz, wherever the process has its ops port', async () => {
  const simulator = ManagedProcess.binary('realtime-simulator', ['--listen=127.0.0.1:0']);
  try {
    const address = await simulator.listening('simulator');
    assert.equal((await run(healthy, [address.split(':')[1]])).code, 0);
    assert.equal((await run(healthy, [], {env: {VOICEBRIDGE_OPS_LISTEN: address}})).code, 0);
    await simulator.stop('SIGKILL');
    assert.notEqual((await run(healthy, [], {env: {VOICEBRIDGE_OPS_LISTEN: address}})).code, 0);
  } finally {
    await simulator.stop('SIGKILL');
  }
});

// {status}: of /proc/1 in the container.
async function statusOf(images, name) {
  const text = await images.podman('exec', name, 'cat', '/proc/1/status');
  return Object.fromEntries([...text.matchAll(/^(\w+):\s+(\S+)/gm)].map(([, key, value]) => [key, value]));
}

if (full) {
  describe('in containers', () => {
    test('a turn through all three, healthy, as nobody, on a root that cannot be written; each stops within its budget', {
      skip: process.getuid() !== 0 && 'images are built as root',
    }, async () => {
      const images = await Images.build(kTargets);
      try {
        for (const target of kTargets) {
          const {Config: {User, StopSignal}, Healthcheck} = await images.inspect(target);
          assert.deepEqual([User, StopSignal, Healthcheck.Test[1]], ['65532:65532', 'SIGTERM', 'healthy'], target);
        }
        const wav = path.join(images.dir, 'hello.wav');
        fs.copyFileSync(soundFile(soundNames()[0]), wav);
        await images.start('simulator');
        await images.start('worker', {
          beside: 'simulator', env: {OPENAI_API_KEY: 'simulator'},
          args: ['--insecure_no_auth', '--upstream_url=ws://127.0.0.1:8090/v1/realtime', '--responses_url=http://127.0.0.1:8090/v1/responses'],
        });
        // It shares the worker's addresses here, so that it needs ports of its own.
        await images.start('gateway', {
          beside: 'simulator', volumes: [`${wav}:/hello.wav:ro`], env: {VOICEBRIDGE_OPS_LISTEN: '127.0.0.1:9190'},
          args: ['--insecure_no_auth', '--workers=127.0.0.1:50051', '--admin_listen=127.0.0.1:9191'],
        });
        for (const target of kTargets) {
          await waitUntil(() => images.isHealthy(target), {ms: 20000, what: `${target} to be healthy`, every: 200});
          const {Uid, CapEff, NoNewPrivs, Seccomp} = await statusOf(images, target);
          assert.deepEqual({Uid, CapEff, NoNewPrivs}, {Uid: '65532', CapEff: '0000000000000000', NoNewPrivs: '1'}, target);
          assert.equal(Seccomp, '2', target);
          await assert.rejects(images.podman('exec', '--user', '0', target, 'touch', '/written'), /Read-only file system/);
        }
        const talk = () => images.podman('exec', 'gateway', 'voicebridgectl', 'talk', 'ws://127.0.0.1:8080/v1/realtime', '/hello.wav', '--json');
        const answer = JSON.parse(await talk());
        assert.ok(answer.audio_ms > 0 && answer.assistant_transcript.length > 0, JSON.stringify(answer));
        assert.match(await images.podman('exec', 'gateway', 'voicebridgectl', 'status', '127.0.0.1:9191'), /gateway/);

        for (const target of ['gateway', 'worker']) {
          const {ms, code} = await images.stop(target, 10);
          assert.equal(code, 0, await images.podman('logs', target));
          assert.ok(ms < kBudgetMs + kEngineMs, `${target}: ${Math.round(ms)} ms`);
        }
      } finally {
        await images.remove();
      }
    });
  });
}
