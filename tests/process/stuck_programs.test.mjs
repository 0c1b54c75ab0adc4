// The gateway and the worker are told to go while something in them is stuck: a name that is being looked up, a disk
// that does not write, a store that is locked, a shard, a log that nobody reads, their own start.
import {strict as assert} from 'node:assert';
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, {describe} from 'node:test';

import {binDir, ManagedProcess, patience, root, waitUntil, withFleet} from './harness.mjs';
import {sqliteIn} from './harness/database.mjs';
import {logged} from './harness/log.mjs';
import {StuckCalls} from './harness/stuck_calls.mjs';
import {UnreadPipe} from './harness/unread_pipe.mjs';

const kBudget = 3000;
const kSignals = ['SIGTERM', 'SIGINT'];
const kSideBySide = {concurrency: 20};
const kName = 'localhost';

const kPorts = ['--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0'];
const kFlags = {
  'voicebridge-gateway': [...kPorts, '--workers=127.0.0.1:1', '--insecure_no_auth'],
  'voicebridge-worker': [...kPorts, `--profiles=${path.join(root, 'bridge_worker/profiles')}`],
};
const kPrograms = Object.keys(kFlags);
const kKey = {OPENAI_API_KEY: 'test-key'};
const kStarted = /"event":"(gateway|worker)\.started"/;

async function checkGone(process, signal, code) {
  const exit = await process.stop(signal, kBudget + 2000);
  assert.equal(exit.code, code, `${process.name}: ${JSON.stringify(exit)}\n${process.tail()}`);
  assert.ok(exit.ms <= kBudget * patience, `${process.name} took ${Math.round(exit.ms)} ms`);
}

// One thread, in that library.
function checkLeft(process, name) {
  assert.deepEqual(logged(process, 'thread.left').map((line) => [line.name, line.count]), [[name, 1]], process.tail());
}

function started(process) {
  return waitUntil(() => kStarted.test(process.text('err')), {ms: 10000 * patience, what: `${process.name} to start`, got: () => process.text()});
}

function launch(program, {flags = [], ...options} = {}) {
  return new ManagedProcess(program, path.join(binDir, program), [...kFlags[program], ...flags], {...options, env: {...kKey, ...options.env}});
}

async function withDirectory(body) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-stuck-'));
  try {
    await body(directory);
  } finally {
    fs.rmSync(directory, {recursive: true, force: true});
  }
}

async function withStuckCalls(body) {
  const stuck = new StuckCalls();
  try {
    await body(stuck);
  } finally {
    stuck.stop();
  }
}

// Reads its flags from a file that is not written to its end.
async function starting(program, directory) {
  const file = path.join(directory, 'flags');
  execFileSync('mkfifo', [file]);
  const process = launch(program, {flags: [`--flagfile=${file}`]});
  const open = () => {
    try {
      return fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    } catch (error) {
      assert.equal(error.code, 'ENXIO');  // Nobody reads it yet.
      return undefined;
    }
  };
  const end = await waitUntil(open, {ms: 10000 * patience, what: `${program} to read its flags`, got: () => process.text()});
  return {process, end};
}

async function withFullPipe(program, body) {
  const pipe = new UnreadPipe();
  const process = launch(program, {stdio: ['ignore', pipe.writer, pipe.writer]});
  try {
    await pipe.says(kStarted);
    pipe.fill();
    await body(process);
    assert.doesNotMatch(pipe.read(), /drain\.|shutdown\./, 'there was no room for it');
  } finally {
    process.kill('SIGKILL');
    pipe.close();
  }
}

async function withStuckShard(program, body) {
  await withStuckCalls(async (stuck) => {
    const process = launch(program, {env: stuck.env});
    await started(process);
    stuck.hold('clock_nanosleep');
    await stuck.waiting('clock_nanosleep');
    await body(process);
  });
}

describe('by themselves', kSideBySide, () => {
  for (const program of kPrograms) {
    for (const signal of kSignals) {
      test(`${signal} while ${program} starts`, () => withDirectory(async (directory) => {
        const {process, end} = await starting(program, directory);
        await checkGone(process, signal, 0);
        assert.equal(logged(process, 'signal.during_start').length, 1, process.text());
        fs.closeSync(end);
      }));

      test(`${signal} while nobody reads the full log of ${program}`, () => withFullPipe(program, (process) => checkGone(process, signal, 0)));

      test(`${signal} while the shard of ${program} is stuck`, () => withStuckShard(program, async (process) => {
        await checkGone(process, signal, 3);
        // By itself, or by its watchdog: it has little time to spare.
        assert.match(process.lines.at(-1).text, /"event":"shutdown\.end".*"exit_code":3|"event":"watchdog\.exit"/);
      }));

      test(`${signal}, ${signal} while the shard of ${program} is stuck`, () => withStuckShard(program, async (process) => {
        await process.tell(signal);
        await checkGone(process, signal, 4);
        assert.equal(logged(process, 'signal.second').length, 1, process.text());
      }));
    }
  }

  for (const signal of kSignals) {
    test(`${signal} while the workers of a gateway are looked up in a DNS that does not answer`, () => withStuckCalls(async (stuck) => {
      stuck.hold('workers.test');
      const process = launch('voicebridge-gateway', {flags: ['--workers=dns:workers.test:1'], env: stuck.env});
      await started(process);
      await stuck.waiting('workers.test');
      await checkGone(process, signal, 0);
      checkLeft(process, 'getaddrinfo');
    }));
  }

  test('SIGTERM while a worker waits for its store to start', () => withDirectory(async (directory) => {
    const database = sqliteIn(directory);
    await database.lock();
    const process = launch('voicebridge-worker', {flags: [`--store=${database.url}`]});
    await waitUntil(() => logged(process, 'store.unavailable').length > 0, {ms: 10000 * patience, what: 'the worker to meet the lock', got: () => process.text()});
    await checkGone(process, 'SIGTERM', 0);
    await database.stop();
  }));
});

// Workers reach their upstream by name, and what they call can be held.
function withStuckFleet(options, body) {
  return withStuckCalls((stuck) => withFleet({workers: 1, upstreamHost: kName, workerEnv: stuck.env, ...options}, (fleet) => body(fleet, stuck)));
}

for (const signal of kSignals) {
  test(`${signal} while a DNS does not answer: all are gone within the budget, and nothing is forced`, () => withStuckFleet({}, async (fleet, stuck) => {
    const [worker] = fleet.workers;
    const served = await fleet.connect();
    stuck.hold(kName);
    const waiting = fleet.dial();
    await waiting.opened();
    await stuck.waiting(kName);
    await Promise.all([fleet.gateway, worker].map((process) => checkGone(process, signal, 0)));
    for (const client of [served, waiting]) {
      assert.equal((await client.waitForClose()).code, 1001);
    }
    assert.ok(logged(worker, 'session.ended').every(({tasks_left}) => tasks_left === 0));
    checkLeft(worker, 'getaddrinfo');
  }));
}

// An interview has something to store, which does not get there; a second is enough for its worker.
function withStuckStore(body) {
  return withDirectory((directory) => {
    const database = sqliteIn(directory);
    const options = {workerFlags: [`--store=${database.url}`, '--drain_budget=1s'], exitCode: ({name}) => (name === 'gateway' ? 0 : 3)};
    return withStuckFleet(options, async (fleet, stuck) => {
      const [worker] = fleet.workers;
      const client = await fleet.connect({profile: 'interview'});
      await body({worker, stuck, database, endInterview: () => client.send({type: 'voicebridge.assessment.request'})});
      const [{not_stored: names}] = logged(worker, 'drain.end');
      assert.ok(names.split(' ').includes(client.about.session_id), `not stored: ${names}`);
    }).finally(() => database.stop());
  });
}

test('SIGTERM while the disk does not write: the thread of the store is left, and what is lost is named', () => withStuckStore(async ({worker, stuck, endInterview}) => {
  stuck.hold('fsync');
  endInterview();
  await stuck.waiting('fsync');
  await checkGone(worker, 'SIGTERM', 3);
  checkLeft(worker, 'store');
}));

test('SIGTERM while the store is locked by somebody else: what is lost is named', () => withStuckStore(async ({worker, database, endInterview}) => {
  await database.lock();
  endInterview();
  await database.stopped([worker]);
  await checkGone(worker, 'SIGTERM', 3);
}));
