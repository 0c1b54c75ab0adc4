// The README's first command.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';

import {patience, postJson, RealtimeClient, request, root, run, waitUntil} from './harness.mjs';
import {kOurs, pidFile, withDemo} from './harness/demo.mjs';

const inRoot = {cwd: root, ms: 30000};

test('deploy/demo comes up, holds a conversation, and one SIGINT ends all of it cleanly', {timeout: 900000}, () => withDemo(async ({demo, printed, children}) => {
  const programs = children.filter(({args}) => /bin\/(voicebridge-|realtime-simulator)/.test(args));
  assert.equal(programs.length, 4, JSON.stringify(children));
  programs.forEach(({pid, session}) => assert.equal(session, pid, 'leads a process session of its own'));
  for (const name of kOurs) {
    const {args} = programs.find(({pid}) => pid === Number(fs.readFileSync(pidFile(name), 'utf8')));
    assert.match(args, name === 'gateway' ? /voicebridge-gateway/ : /voicebridge-worker/, `the pid file of ${name}`);
  }

  const page = await request(printed(/Open (http:\S+) in a browser/));
  assert.equal(page.status, 200);
  assert.match(page.body, /<script type="module" src="app.js">/, 'the page is served');

  const [ctl, talking] = printed(/\b(\S*voicebridgectl) (talk ws:\S+ \S+ --out=\S+)/);
  const talk = await run(path.join(root, ctl), talking.split(' '), inRoot);
  assert.equal(talk.code, 0, talk.stderr);
  assert.match(talk.stdout, /I spoke for \d/, 'the transcript is shown');
  assert.match(talk.stdout, /I heard you speak/, 'the reply is shown');
  await waitUntil(() => /worker-\d session\.\w+/.test(demo.text('out')), {ms: 5000, what: 'the session to show up in the live summary', got: () => demo.text('out')});

  const exit = await demo.stop('SIGINT', 5000);
  assert.equal(exit.code, 0, demo.text());
  assert.ok(exit.ms <= 3500 * patience, `took ${Math.round(exit.ms)} ms`);
}));

test('a worker of the demo is drained by the printed command while the rest goes on; without its gateway it ends', () => withDemo(async ({demo, printed}) => {
  const [ctl, address] = printed(/Drain a worker: +(\S+) drain (\S+)/);
  const drained = await run(path.join(root, ctl), ['drain', address], inRoot);
  assert.equal(drained.code, 0, drained.stderr);
  assert.match(drained.stdout, /drained .*it stays/);
  const [, talking] = printed(/\b(\S*voicebridgectl) (talk ws:\S+ \S+ --out=\S+)/);
  assert.equal((await run(path.join(root, ctl), talking.split(' '), inRoot)).code, 0, 'the other worker serves');
  assert.equal((await run(path.join(root, ctl), ['drain', address, '--exit'], inRoot)).code, 0);
  await waitUntil(() => /^demo: worker-2 was drained and is gone$/m.test(demo.text('out')), {ms: 5000, what: 'the demo to notice', got: () => demo.text('out')});
  assert.equal((await run(path.join(root, ctl), talking.split(' '), inRoot)).code, 0, 'and still does');
  assert.ok(demo.running);

  const [, gateway] = printed(/Drain everything: +(\S+) drain (\S+) --fleet --exit/);
  assert.equal((await run(path.join(root, ctl), ['drain', gateway, '--exit'], inRoot)).code, 0);
  const exit = await demo.waitForExit(5000, 'its gateway was drained');
  assert.equal(exit.code, 0, demo.text());
}));

test('the command that drains everything ends the demo cleanly', () => withDemo(async ({demo, printed}) => {
  const [ctl, command] = printed(/Drain everything: +(\S+) (drain \S+ --fleet --exit)/);
  const drained = await run(path.join(root, ctl), command.split(' '), inRoot);
  assert.equal(drained.code, 0, drained.stdout);
  assert.match(drained.stdout, /^fleet of .*its processes exit$/m);
  const exit = await demo.waitForExit(5000, 'everything was drained');
  assert.equal(exit.code, 0, demo.text());
}));

test('deploy/stop ends the demo from elsewhere', () => withDemo(async ({demo}) => {
  const stopped = await run(path.join(root, 'deploy/stop'), [], inRoot);
  assert.equal(stopped.code, 0, stopped.stdout);
  assert.equal(stopped.stdout.match(/^voicebridge-(?:gateway|worker) \d+ \(\S+\): ended after \d+ ms$/gm).length, kOurs.length, stopped.stdout);
  const exit = await demo.waitForExit(5000, 'its processes were stopped');
  assert.equal(exit.code, 0, demo.text());
}));

// The gateway is gone long before its worker, whose upstream does not answer a close.
test('who is told to go by others is not told a second time by the demo, which would cut it off', () => withDemo(async ({demo, printed}) => {
  const [simulator, gateway] = [printed(/simulator at (\S+?);/), printed(/listens at +(ws:\/\/[^/\s]+)/)];
  await postJson(`http://${simulator}/faults`, {fault: 'no_close'});
  const client = await RealtimeClient.connect(gateway);
  for (const name of [...kOurs].reverse()) {
    process.kill(Number(fs.readFileSync(pidFile(name), 'utf8')), 'SIGTERM');
  }
  const exit = await demo.waitForExit(5000, 'its processes were told to go');
  assert.equal(exit.code, 0, demo.text());
  client.terminate();
}));

test('a second Ctrl+C ends the demo at once, also when the upstream lets nothing end', () => withDemo(async ({demo, printed}) => {
  const [simulator, gateway] = [printed(/simulator at (\S+?);/), printed(/listens at +(ws:\/\/[^/\s]+)/)];
  await postJson(`http://${simulator}/faults`, {fault: 'no_close'});
  const client = await RealtimeClient.connect(gateway);
  demo.kill('SIGINT');
  await waitUntil(() => demo.text('out').includes('once more Ctrl+C'), {ms: 3000, what: 'the first to be taken', got: () => demo.text('out')});
  const exit = await demo.stop('SIGINT', 3000);
  assert.equal(exit.code, 1, demo.text());
  assert.ok(exit.ms < 1000 * patience, `took ${Math.round(exit.ms)} ms after the second`);
  assert.match(demo.text('out'), /demo: worker-\d ended with exit code 4/);
  client.terminate();
}));
