// deploy/stop: what it stops, what it leaves alone, and what it says of either.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {exists, ManagedProcess, patience, root, run, waitUntil, withFleet} from './harness.mjs';

const kStop = path.join(root, 'deploy/stop');
const kCode = {stopped: 0, usage: 1, killed: 3, foreign: 4, left: 5};
const kLives = 'echo up; exec {idle}<> <(:); while :; do read -t 9 -u $idle; done';
const kIgnoresTerm = `trap "" TERM; ${kLives}`;

// Processes and files of one test; all are gone after it.
class Scene {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-stop-'));
    fs.chmodSync(this.dir, 0o755);
    this.impostors = [];
  }

  file(name, content) {
    const file = path.join(this.dir, name);
    fs.writeFileSync(file, content);
    return file;
  }

  // A shell whose executable has this name.
  executable(name, folder = '.') {
    const file = path.join(this.dir, folder, name);
    fs.mkdirSync(path.dirname(file), {recursive: true});
    fs.copyFileSync('/bin/bash', file);
    return file;
  }

  async start(executable, script, options) {
    const impostor = new ManagedProcess('impostor', executable, ['-c', script], options);
    this.impostors.push(impostor);
    await printed(impostor, /^(up)$/m);
    return impostor;
  }

  async ended() {
    const child = new ManagedProcess('ended', '/bin/true');
    await child.exited;
    return child;
  }

  async end() {
    for (const impostor of this.impostors) {
      impostor.kill('SIGKILL');
      await impostor.exited;
    }
    fs.rmSync(this.dir, {recursive: true});
  }
}

async function withScene(body) {
  const scene = new Scene();
  try {
    await body(scene);
  } finally {
    await scene.end();
  }
}

const printed = (impostor, expression) => waitUntil(
    () => expression.exec(impostor.text('out'))?.[1], {ms: 10000, every: 1, what: `the impostor to print ${expression}`, got: () => impostor.text()});
const stop = (...args) => run(kStop, args);
const both = ({stdout, stderr}) => `${stdout}\n${stderr}`;

function checkStopped(result, code, ...lines) {
  assert.equal(result.code, code, both(result));
  lines.forEach((line) => assert.match(result.stdout, line));
  assert.equal(result.stderr, '');
}

test('gateway and worker write pid files, are stopped by them, and their client is told', () => withScene((scene) => {
  const [gateway, worker] = ['gateway.pid', 'worker.pid'].map((name) => path.join(scene.dir, name));
  return withFleet({workers: 1, gatewayFlags: [`--pid_file=${gateway}`], workerFlags: [`--pid_file=${worker}`]}, async (fleet) => {
    const client = await fleet.connect();
    const result = await stop(gateway, worker);
    checkStopped(result, kCode.stopped, new RegExp(`^voicebridge-gateway ${fleet.gateway.pid} \\(${gateway}\\): ended after \\d+ ms$`, 'm'),
                 new RegExp(`^voicebridge-worker ${fleet.workers[0].pid} \\(${worker}\\): ended after \\d+ ms$`, 'm'));
    assert.equal((await client.waitForClose()).code, 1001);
    assert.deepEqual(fs.readdirSync(scene.dir), [], 'each has removed its own');
    checkStopped(await stop(gateway, worker), kCode.stopped, /gateway\.pid: not running, there is no such file\n.*worker\.pid: not running/, /^nothing to stop$/m);
  });
}));

test('a worker that is frozen is killed', () => withScene((scene) => {
  const worker = path.join(scene.dir, 'worker.pid');
  return withFleet({workers: 2, workerFlags: [`--pid_file=${worker}`]}, async (fleet) => {
    const frozen = fleet.workers.find(({pid}) => pid === Number(fs.readFileSync(worker, 'utf8')));
    process.kill(frozen.pid, 'SIGSTOP');
    checkStopped(await stop('--timeout=200ms', worker), kCode.killed, /had not ended 200 ms after SIGTERM and was killed; gone after \d+ ms$/m);
    assert.equal((await frozen.waitForExit(1000)).signal, 'SIGKILL');
    fleet.leave(frozen);
  });
}));

test('a process that ignores SIGTERM is killed, and another is not kept waiting', () => withScene(async (scene) => {
  const executable = scene.executable('voicebridge-worker');
  const [stubborn, good] = [await scene.start(executable, kIgnoresTerm), await scene.start(executable, kLives)];
  fs.rmSync(executable);  // As by an upgrade.
  const files = [stubborn, good].map(({pid}, i) => scene.file(`${i}.pid`, `${pid}\n`));
  const result = await stop('--timeout=500ms', ...files);
  checkStopped(result, kCode.killed, new RegExp(`^voicebridge-worker ${stubborn.pid} .*: had not ended 500 ms after SIGTERM and was killed`, 'm'),
               new RegExp(`^voicebridge-worker ${good.pid} .*: ended after \\d+ ms$`, 'm'));
  const exits = [await stubborn.waitForExit(1000), await good.waitForExit(1000)];
  assert.deepEqual(exits.map(({signal}) => signal), ['SIGKILL', 'SIGTERM']);
  const waited = exits[0].at - exits[1].at;
  assert.ok(waited > 300 && waited < 2000 * patience, `${Math.round(waited)} ms from one to the other`);
}));

test('nothing runs: a pid file that is missing or stale is no error', () => withScene(async (scene) => {
  const {pid} = await scene.ended();
  const result = await stop(path.join(scene.dir, 'none.pid'), scene.file('stale.pid', `${pid}\n`));
  checkStopped(result, kCode.stopped, /none\.pid: not running, there is no such file$/m, new RegExp(`stale\\.pid: not running, process ${pid} is gone$`, 'm'));
}));

// Its parent never waits for it.
test('a process that has ended and is not reaped is not running', () => withScene(async (scene) => {
  const parent = await scene.start('/bin/bash', `${scene.executable('voicebridge-worker')} -c '${kLives}' & echo $!; exec sleep 60`);
  const pid = Number(await printed(parent, /^(\d+)$/m));
  const status = (of, name) => new RegExp(`^${name}:\\t(\\w+)`, 'm').exec(fs.readFileSync(`/proc/${of}/status`, 'utf8'))[1];
  await waitUntil(() => status(parent.pid, 'Name') === 'sleep', {ms: 5000, what: 'the parent to be one that does not wait'});
  process.kill(pid, 'SIGKILL');
  await waitUntil(() => status(pid, 'State') === 'Z', {ms: 5000, what: 'the child to end', got: () => status(pid, 'State')});
  checkStopped(await stop(scene.file('a.pid', `${pid}\n`)), kCode.stopped, /not running/);
}));

test('a pid file that holds no process id harms nobody', () => withScene(async (scene) => {
  fs.mkdirSync(path.join(scene.dir, 'folder.pid'));
  const contents = ['', '\n', 'worker\n', '0\n', '-1\n', '+1\n', '1 2\n', '1;2\n', '0x1\n', '\0\0\0', '9'.repeat(500)];
  const files = contents.map((content, i) => scene.file(`${i}.pid`, content)).concat(path.join(scene.dir, 'folder.pid'));
  const result = await stop(...files);
  checkStopped(result, kCode.foreign, /^nothing to stop$/m);
  assert.equal(result.stdout.match(/\.pid: left alone, it holds no process id$/gm).length, files.length, result.stdout);
}));

test('an id that another program has now is left alone, whatever that program calls itself', () => withScene(async (scene) => {
  const other = await scene.start(scene.executable('voicebridge-worker-old'), kLives, {argv0: '/usr/bin/voicebridge-worker'});
  const result = await stop('--timeout=100ms', scene.file('a.pid', `${other.pid}\n`));
  checkStopped(result, kCode.foreign, new RegExp(`left alone, ${other.pid} is an id of \\S+/voicebridge-worker-old now$`, 'm'));
  assert.ok(other.running && exists(other.pid));
}));

test('an id that a thread of a worker has now is left alone', () => withScene((scene) => withFleet({workers: 1}, async ({workers: [worker]}) => {
  const thread = fs.readdirSync(`/proc/${worker.pid}/task`).map(Number).find((id) => id !== worker.pid);
  checkStopped(await stop('--timeout=100ms', scene.file('a.pid', `${thread}\n`)), kCode.foreign, /left alone/);
  assert.ok(worker.running);
})));

// The kernel hands out the id after the one that is written there.
const kLastPid = '/proc/sys/kernel/ns_last_pid';
const pidsCanBeChosen = (() => {
  try {
    fs.accessSync(kLastPid, fs.constants.W_OK);
    return process.getuid() === 0;
  } catch {
    return false;
  }
})();

// It takes part in the scene while its parent does.
const kFollowsParent = 'echo up; exec {idle}<> <(:); while kill -0 $PPID 2>/dev/null; do read -t 0.05 -u $idle; done';

// A process that is stopped and, before the script looks again, another with its id. False if somebody else got that id.
async function takenOver(scene, executable) {
  const parent = await scene.start('/bin/bash', `
    ${executable} -c 'trap "echo asked" TERM; ${kFollowsParent}' & first=$!
    echo "first $first"; wait $first 2>/dev/null; wait $first 2>/dev/null
    echo $((first - 1)) > ${kLastPid}; ${executable} -c '${kFollowsParent}' & echo "second $!"; wait`);
  const pid = Number(await printed(parent, /^first (\d+)$/m));
  const stopping = new ManagedProcess('stop', kStop, ['--timeout=300ms', scene.file('a.pid', `${pid}\n`)]);
  await printed(parent, /^(asked)$/m);
  stopping.kill('SIGSTOP');
  process.kill(pid, 'SIGKILL');
  const second = Number(await printed(parent, /^second (\d+)$/m));
  stopping.kill('SIGCONT');
  const exit = await stopping.waitForExit(5000);
  if (second === pid) {
    assert.equal(exit.code, kCode.stopped, stopping.text());
    assert.match(stopping.text('out'), /: ended after \d+ ms$/);
    assert.ok(exists(second), 'the one that has its id now lives');
  }
  return second === pid;
}

test('a process that takes over the id between two looks is not killed', {skip: !pidsCanBeChosen && 'needs root and ns_last_pid'}, () => withScene(async (scene) => {
  const executable = scene.executable('voicebridge-worker');
  let happened = false;
  for (let i = 0; i < 10 && !happened; ++i) {
    happened = await takenOver(scene, executable);
  }
  assert.ok(happened, 'its id was used again');
}));

test("another user's process is left alone, and that is an error", () => withScene(async (scene) => {
  const own = await scene.start(scene.executable('voicebridge-worker'), kLives);
  const isRoot = process.getuid() === 0;
  const script = path.join(scene.dir, 'deploy/stop');
  fs.mkdirSync(path.dirname(script));
  fs.copyFileSync(kStop, script);
  const result = await run(script, ['--timeout=100ms', scene.file('a.pid', `${isRoot ? own.pid : 1}\n`)], isRoot ? {uid: 65534, gid: 65534} : {});
  checkStopped(result, kCode.left, /left alone, process \d+ is another user's and may not be signalled$/m);
  assert.ok(own.running);
}));

test('without a pid file a process is found by its executable, and by no other of that name', () => withScene(async (scene) => {
  const [mine, theirs] = [scene.executable('voicebridge-worker', 'mine'), scene.executable('voicebridge-worker', 'theirs')];
  const processes = [await scene.start(mine, kLives), await scene.start(mine, kLives), await scene.start(theirs, kLives)];
  const file = scene.file('a.pid', `${processes[0].pid}\n`);
  const result = await stop(`--program=${mine}`, file);
  checkStopped(result, kCode.stopped);
  assert.deepEqual(result.stdout.match(/^voicebridge-worker \d+/gm).map((words) => Number(words.split(' ')[1])).sort(),
                   [processes[0].pid, processes[1].pid].sort(), 'each once');
  assert.ok(processes[2].running);
  assert.equal((await stop(`--program=${mine}`)).stdout, 'nothing to stop');
}));

test('without arguments it stops what deploy/demo has started', () => withScene(async (scene) => {
  const script = scene.executable('stop', 'deploy');
  fs.copyFileSync(kStop, script);
  checkStopped(await run(script, []), kCode.stopped, /^nothing to stop$/);
  const gateway = await scene.start(scene.executable('voicebridge-gateway'), kLives);
  fs.mkdirSync(path.join(scene.dir, 'run'));
  scene.file('run/gateway.pid', `${gateway.pid}\n`);
  checkStopped(await run(script, []), kCode.stopped, new RegExp(`^voicebridge-gateway ${gateway.pid} \\(${scene.dir}/run/gateway.pid\\): ended`));
}));

test('a command line that is wrong stops nothing; the help names every exit code', () => withScene(async (scene) => {
  const worker = await scene.start(scene.executable('voicebridge-worker'), kLives);
  const file = scene.file('a.pid', `${worker.pid}\n`);
  const wrong = ['--timeout=soon', '--timeout=-1s', '--timeout=', '--force', '-9', '--program=/bin/bash', '--program=/none/voicebridge-worker'];
  for (const flag of wrong) {
    const result = await stop(file, flag);
    assert.equal(result.code, kCode.usage, both(result));
    assert.ok(result.stderr.includes(flag) && result.stdout === '', both(result));
  }
  assert.ok(worker.running);
  const help = await stop('--help');
  assert.equal(help.code, 0);
  assert.deepEqual([...help.stdout.matchAll(/^ {2}(\d) {2}\S/gm)].map(([, code]) => Number(code)), Object.values(kCode));
}));
