// voicebridgectl drain, in front of listeners that are of no help.
import {strict as assert} from 'node:assert';
import path from 'node:path';
import test from 'node:test';

import {binDir, ManagedProcess, patience, pause, runBinary, waitUntil} from './harness.mjs';
import {frameOf, MeanAdmin} from './harness/mean_admin.mjs';

const progress = (left, more = {}) => ({sessions_left: left, sessions_total: 3, tasks_left: 2 * left, time_left: {seconds: 3}, mode: 'CLOSE', ...more});
const summary = (fields = {}) => ({...progress(0), time_left: {seconds: 0}, summary: {mode: 'CLOSE', took: {nanos: 214e6}, ...fields}});
const kStored = {stored: ['sess_a', 'sess_b'], finished: ['sess_c']};
const kWhole = [progress(3), progress(2), progress(1), summary(kStored)].map(frameOf);
const kUnavailable = 14;

async function against(behave, body) {
  const admin = typeof behave === 'function' ? await MeanAdmin.start(behave) : behave;
  try {
    await body(admin);
  } finally {
    await admin.stop();
  }
}

const drain = (admin, ...more) => runBinary('voicebridgectl', ['drain', admin.address, ...more]);

function checkDrained(result, what) {
  assert.equal(result.code, 0, `${what}: ${result.stderr}`);
  assert.match(result.stdout, /drained \(close\) in 214 ms; it stays[^]*2 sessions were told and closed/, what);
  assert.equal(result.stderr, '', what);
}

function checkFailed(result, what) {
  assert.equal(result.code, 1, result.stdout);
  assert.match(result.stderr, what);
  assert.doesNotMatch(result.stdout, /drained/);
}

// What follows the summary on the wire says nothing of the drain. The tool is stopped meanwhile, so that it finds
// all messages and the end of the connection at once: as on a busy machine.
for (const [how, end] of [
  ['closes its connection', ({socket}) => socket.destroy()],
  ['resets its connection', ({socket}) => socket.resetAndDestroy()],
  ['resets the call', ({stream}) => stream.close(2)],
  ['goes away', ({stream}) => stream.session.goaway(0)],
  ['goes away and closes', ({stream, socket}) => {
    stream.session.goaway(0);
    setImmediate(() => socket.destroy());
  }],
  ['ends the call with an error', ({status}) => status(kUnavailable, 'the process is leaving')],
  ['ends the call', ({status}) => status(0, '')],
  ['does nothing more', () => {}],
]) {
  test(`the summary is shown when the server ${how} right after it`, async () => {
    let tool;
    const behave = async (call) => {
      tool.kill('SIGSTOP');
      await call.send(...kWhole);
      end(call);
      await pause(20);  // What was sent is with the kernel; how it ends may not be yet.
      tool.kill('SIGCONT');
    };
    await against(behave, async (admin) => {
      tool = ManagedProcess.binary('voicebridgectl', ['drain', admin.address]);
      const exit = await tool.waitForExit(10000);
      checkDrained({...exit, stdout: tool.text('out'), stderr: tool.text('err')}, how);
    });
  });
}

test('in a pipe there is a line for each change, then the summary', () => against(({send}) => send(frameOf(progress(3)), ...kWhole), async (admin) => {
  const {stdout} = await drain(admin, '--mode=close');
  assert.equal(stdout, [
    'close: 3 of 3 sessions left, 6 tasks, 3.0 s left', 'close: 2 of 3 sessions left, 4 tasks, 3.0 s left', 'close: 1 of 3 sessions left, 2 tasks, 3.0 s left',
    `${admin.address} drained (close) in 214 ms; it stays, and takes no new sessions`, '  1 session had ended before they were closed',
    '  2 sessions were told and closed, and all that was to be kept is stored',
  ].join('\n'));
}));

test('what was asked goes over the wire, and --json gives it back with the summary', () => against(({send}) => send(...kWhole), async (admin) => {
  const {code, stdout, stderr} = await drain(admin, '--mode=finish', '--fleet', '--exit', '--budget=1500ms', '--reason=an upgrade', '--json');
  assert.deepEqual([code, stderr], [0, '']);
  const told = JSON.parse(stdout);
  assert.deepEqual(told.asked, {mode: 'FINISH', scope: 'FLEET', budget: '1.500s', then: 'EXIT', reason: 'an upgrade'});
  assert.deepEqual([told.address, told.clean, told.summary.stored, told.summary.took], [admin.address, true, kStored.stored, '0.214s']);
  const [{mode, scope, then, reason, budget}] = admin.requests;
  assert.deepEqual([mode, scope, then, reason, Number(budget.seconds), budget.nanos], ['FINISH', 'FLEET', 'EXIT', 'an upgrade', 1, 5e8]);
}));

test('what was forced, not stored, unreachable or left is an exit code of its own, and is named', async () => {
  for (const [fields, words] of [
    [{forced: ['sess_a']}, /1 session was cut off: sess_a/], [{stored: ['sess_a'], not_stored: ['assessment_1']}, /not stored: assessment_1/],
    [{unreachable: ['10.0.0.1:9']}, /did not answer: 10\.0\.0\.1:9/], [{tasks_left: ['reaper']}, /did not end: reaper/],
  ]) {
    await against(({send}) => send(frameOf(summary(fields))), async (admin) => {
      const {code, stdout} = await drain(admin);
      assert.equal(code, 3, stdout);
      assert.match(stdout, /but not cleanly/);
      assert.match(stdout, words);
      assert.equal(JSON.parse((await drain(admin, '--json')).stdout).clean, false);
    });
  }
});

test('a refusal is told with its reason', async () => {
  await against(({status}) => status(3, 'budget: expected at least 500 ms'), async (admin) => {
    checkFailed(await drain(admin), /127\.0\.0\.1:\d+: INVALID_ARGUMENT: budget: expected at least 500 ms$/);
  });
  await against(async ({send, status}) => {
    await send(frameOf(progress(2, {mode: 'FINISH'})));
    status(10, 'the drain was undone');
  }, async (admin) => checkFailed(await drain(admin), /ABORTED: the drain was undone$/));
});

test('a connection that breaks before the summary is a failure that says how far it was', async () => {
  for (const [what, frames] of [['two messages', [progress(3), progress(1)].map(frameOf)], ['half a summary', [frameOf(progress(1)), kWhole.at(-1).subarray(0, 12)]]]) {
    await against(async ({send, socket}) => {
      await send(...frames);
      socket.destroy();
    }, async (admin) => checkFailed(await drain(admin), /UNAVAILABLE: .*; last seen: close: 1 of 3 sessions left, 2 tasks/, what));
  }
  await against(({stream}) => stream.close(2), async (admin) => checkFailed(await drain(admin), /voicebridgectl: 127/));
});

test('no silence is waited for without a bound', async () => {
  const silences = [
    ['that takes no HTTP/2', await MeanAdmin.startMute(), /says nothing|UNAVAILABLE/], ['before the first word', () => {}, /says nothing$/],
    ['in the middle', ({send}) => send(frameOf(progress(2, {time_left: {seconds: 3000}}))), /says nothing; last seen: close: 2 of 3/],
  ];
  for (const [what, behave, words] of silences) {
    await against(behave, async (admin) => {
      const from = performance.now();
      checkFailed(await drain(admin, '--timeout=300ms', '--budget=30s'), words);
      assert.ok(performance.now() - from < 3000 * patience, `${what}: ${Math.round(performance.now() - from)} ms`);
    });
  }
});

test('a server that talks on past the budget is left', () => against(({send}) => {
  const timer = setInterval(() => send(frameOf(progress(2))).catch(() => clearInterval(timer)), 50);
  timer.unref();
}, async (admin) => {
  const from = performance.now();
  checkFailed(await drain(admin, '--budget=500ms'), /DEADLINE_EXCEEDED: the drain is not over, although its time is; last seen/);
  const ms = performance.now() - from;
  assert.ok(ms > 2400 && ms < 4500 * patience, `${Math.round(ms)} ms`);
}));

test('Ctrl+C leaves the drain alone and says so', async () => {
  for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143]]) {
    await against(({send}) => send(frameOf(progress(2))), async (admin) => {
      const tool = ManagedProcess.binary('voicebridgectl', ['drain', admin.address]);
      await waitUntil(() => tool.text('out').includes('2 of 3'), {ms: 5000, what: 'the first message', got: () => tool.text()});
      const exit = await tool.stop(signal, 3000);
      assert.deepEqual([exit.code, exit.signal], [code, null]);
      assert.match(tool.text('err'), /interrupted; the drain of 127\.0\.0\.1:\d+ goes on; last seen: close: 2 of 3/);
      assert.doesNotMatch(tool.text('out'), /drained/);
    });
  }
  let asked;
  await against(() => asked(), async (admin) => {
    const begun = new Promise((resolve) => {
      asked = resolve;
    });
    const tool = ManagedProcess.binary('voicebridgectl', ['drain', admin.address, '--json']);
    await begun;
    assert.equal((await tool.stop('SIGINT', 3000)).code, 130);
    assert.match(tool.text('err'), /interrupted before 127\.0\.0\.1:\d+ answered; a drain may have begun/);
  });
});

// --- on a terminal ---

// The tool on a terminal of so many columns; what it wrote, byte by byte.
async function onTerminal(admin, {columns = 80, env = {}} = {}) {
  const command = `stty cols ${columns} && exec ${path.join(binDir, 'voicebridgectl')} drain ${admin.address}`;
  const terminal = new ManagedProcess('terminal', 'script', ['--quiet', '--return', '--command', command, '/dev/null'], {env: {TERM: 'xterm', ...env}});
  const {code} = await terminal.waitForExit(10000);
  return {code, text: terminal.text('out').replaceAll('\r\n', '\n')};
}

const slowly = async ({send}) => {
  for (const frame of kWhole) {
    await send(frame);
    await pause(120);  // As long as a person looks at it.
  }
};

test('on a terminal one line is redrawn in place and gone at the end', () => against(slowly, async (admin) => {
  const {code, text} = await onTerminal(admin);
  assert.equal(code, 0, text);
  const drawings = text.split('\r').filter((each) => each.includes('['));
  assert.ok(drawings.length >= 4, JSON.stringify(text));
  assert.ok(drawings.some((each) => /#+.*-+.*\] close: 2 of 3 sessions left, 4 tasks, \d\.\d s left\x1b\[K/.test(each)), JSON.stringify(text));
  const times = new Set(drawings.map((each) => /, (\d\.\d) s left/.exec(each)?.[1]));
  assert.ok(times.size > 1, 'the clock runs between two messages');
  assert.match(text, /\x1b\[32m/);
  const [, after] = text.split(/\r\x1b\[K(?=\S+ drained)/);
  assert.match(after ?? '', /^127\S+ drained \(close\)/, `the line is empty before the summary: ${JSON.stringify(text)}`);
  assert.doesNotMatch(after, /\x1b/);
}));

test('no colours where they are not wanted, no wider than the terminal, no bar on one that cannot redraw', async () => {
  await against(slowly, async (admin) => {
    const {text} = await onTerminal(admin, {env: {NO_COLOR: '1'}});
    assert.match(text, /\[#+-+\] close/);
    assert.doesNotMatch(text, /\x1b\[\d/);
  });
  await against(slowly, async (admin) => {
    const {text} = await onTerminal(admin, {columns: 40});
    const widest = Math.max(...text.split(/[\r\n]/).filter((line) => line.endsWith('\x1b[K')).map((line) => line.replace(/\x1b\[\d*[mK]/g, '').length));
    assert.equal(widest, 39);
  });
  await against(slowly, async (admin) => {
    const {text} = await onTerminal(admin, {env: {TERM: 'dumb'}});
    assert.doesNotMatch(text, /\x1b|#/);
    assert.match(text, /close: 3 of 3[^\n]*\n/);
  });
});

test('the line is free again when the server is lost, or the watching ends', () => against(async ({send, socket}) => {
  await send(frameOf(progress(2)));
  setTimeout(() => socket.destroy(), 150);
}, async (admin) => {
  const {code, text} = await onTerminal(admin);
  assert.equal(code, 1);
  assert.match(text, /\r\x1b\[Kvoicebridgectl: 127\S+ UNAVAILABLE: .*last seen/);
}));
