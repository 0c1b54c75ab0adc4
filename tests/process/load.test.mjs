// The load tool: frames come through the service unchanged on both wires, and the tool notices when they do not.
import {strict as assert} from 'node:assert';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';

import {failures, figuresOf, median, summarize, warnings} from '../load/figures.mjs';
import {binDir, ManagedProcess, pause, root, run, runBinary, sanitized, waitUntil, withFleet} from './harness.mjs';
import {Meddler} from './harness/meddler.mjs';

const kSessions = sanitized ? 60 : 300;

// Starts the tool's own upstream for the body and stops it politely.
async function withUpstream(body) {
  const upstream = ManagedProcess.binary('voicebridge-load', ['upstream', '--listen=127.0.0.1:0'], {label: 'upstream'});
  try {
    const result = await body(await upstream.listening('upstream'), upstream);
    assert.equal((await upstream.stop()).code, 0, 'exit code of the upstream');
    return result;
  } finally {
    upstream.kill('SIGKILL');
  }
}

async function load(url, flags) {
  const result = await runBinary('voicebridge-load', [`--url=${url}`, ...flags], {ms: 60000});
  const lines = result.stdout.trim().split('\n');
  assert.ok(lines.length === 1, `one line of JSON, got ${result.stdout}`);
  return {...result, report: lines[0] === '' ? undefined : JSON.parse(lines[0])};
}

test(`${kSessions} sessions, half JSON and half binary: equal digests, nothing lost`, {timeout: 120000}, (t) =>
  withUpstream((upstream) =>
    withFleet({workers: 1, workerFlags: [`--upstream_url=ws://${upstream}/v1/realtime`]}, async (fleet) => {
      const pids = [fleet.gateway.pid, fleet.workers[0].pid];
      const {code, stderr, report} = await load(`${fleet.url}/v1/realtime`, [
        '--mode=mixed', `--sessions=${kSessions}`, '--warmup=1s', '--duration=3s', '--settle=20s', `--pids=${pids.join(',')}`,
      ]);
      assert.equal(code, 0, stderr);
      assert.equal(report.opened, kSessions);
      assert.deepEqual(report.digests, {equal: kSessions, different: 0});
      assert.equal(report.frames.sent, kSessions * 100);
      assert.equal(report.frames.echoed, report.frames.sent);
      assert.equal(report.frames.lost, 0);
      for (const wire of ['json', 'binary']) {
        assert.equal(report[`round_trip_${wire}_ms`].count, (kSessions / 2) * 75, wire);
      }
      assert.deepEqual(report.processes.map((each) => each.pid), pids);
      for (const each of report.processes) {
        assert.ok(each.cpu_us_per_frame > 1 && each.cpu_us_per_frame < 1000, `${each.name}: ${each.cpu_us_per_frame} us CPU per frame`);
        assert.ok(each.fds >= each.fds_before + kSessions, `${each.name}: ${each.fds_before} to ${each.fds} descriptors`);
        assert.ok(each.rss_kib > each.rss_kib_before, `${each.name}: ${each.rss_kib_before} to ${each.rss_kib} KiB`);
        t.diagnostic(`${each.name}: ${each.cpu_us_per_frame} us CPU per frame, ${each.rss_kib_per_session} KiB per session`);
      }
      await fleet.sessionsGone();
    })));

const kDeeds = {
  drop: {field: 'lost', says: /2 frames were lost/},
  duplicate: {field: 'duplicated', says: /2 frames came back twice/},
  swap: {field: 'reordered', says: /2 frames came back out of order/},
  corrupt: {says: /2 of 2 sessions got other bytes back than they sent/},
  close: {says: /2 sessions failed: session 0: closed by the peer with code 1011 \(meddled with\); session 1: /},
};

test('the tool notices what a bad relay does', {timeout: 60000}, (t) =>
  withUpstream(async (upstream) => {
    for (const [deed, expected] of Object.entries(kDeeds)) {
      await t.test(deed, async () => {
        const meddler = await Meddler.start(`ws://${upstream}/`, deed);
        const {code, stderr, report} = await load(meddler.url, ['--sessions=2', '--warmup=0s', '--duration=600ms', '--settle=500ms']);
        await meddler.stop();
        assert.equal(code, 5, stderr);
        assert.match(stderr, expected.says);
        assert.equal(report.ok, false);
        assert.equal(report.digests.different, 2, 'sessions with another digest');
        for (const field of ['lost', 'duplicated', 'reordered']) {
          if (deed !== 'close') {
            assert.equal(report.frames[field], field === expected.field ? 2 : 0, field);
          }
        }
      });
    }
  }));

test('a stall shows in every frame that was due in it', {timeout: 30000}, () =>
  withUpstream(async (upstream) => {
    const meddler = await Meddler.start(`ws://${upstream}/`, 'stall', {stallMs: 500});
    const {code, stderr, report} = await load(meddler.url, ['--sessions=1', '--warmup=0s', '--duration=1s']);
    await meddler.stop();
    assert.equal(code, 0, stderr);
    // 13 of the 25 frames were due in those 500 ms; a client that waits for its echoes would report one slow frame.
    assert.ok(report.round_trip_ms.max >= 450, `the longest took ${report.round_trip_ms.max} ms`);
    assert.ok(report.round_trip_ms.p90 >= 350, `p90 is ${report.round_trip_ms.p90} ms`);
  }));

test('a stall of the tool itself shows too', {timeout: 30000}, () =>
  withUpstream(async (upstream) => {
    const tool = ManagedProcess.binary('voicebridge-load', [`--url=ws://${upstream}/`, '--sessions=1', '--warmup=0s', '--duration=1s']);
    await waitUntil(() => tool.text('err').includes('are open'), {ms: 5000, what: 'the session to be open', got: () => tool.text()});
    tool.kill('SIGSTOP');
    await pause(500);
    tool.kill('SIGCONT');
    const {code} = await tool.waitForExit(10000);
    const report = JSON.parse(tool.text('out'));
    assert.equal(code, 0, tool.text('err'));
    assert.ok(report.frames.late >= 8, `${report.frames.late} frames were sent late`);
    assert.ok(report.round_trip_ms.max >= 350, `the longest took ${report.round_trip_ms.max} ms, from when it was due`);
    assert.ok(report.round_trip_ms.p90 >= 250, `p90 is ${report.round_trip_ms.p90} ms`);
  }));

test('sessions that do not open are named with the reason', {timeout: 60000}, async (t) => {
  await t.test('refused by the gateway', () =>
    withFleet({workers: 1, gatewayFlags: ['--max_sessions=3']}, async (fleet) => {
      const {code, stderr, report} = await load(`${fleet.url}/v1/realtime`, ['--sessions=5', '--duration=1s']);
      assert.equal(code, 5, stderr);
      const refused = 'session \\d: the upgrade was answered with "HTTP/1.1 503 .*"';
      assert.match(stderr, new RegExp(`2 sessions failed: ${refused}; ${refused}$`, 'm'));
      assert.equal(report.opened, 3);
      assert.equal(report.frames.sent, 0, 'figures of fewer sessions would mislead');
    }));
  await t.test('nobody there', async () => {
    const server = net.createServer();
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const {port} = server.address();
    await new Promise((resolve) => server.close(resolve));
    const {code, stderr} = await load(`ws://127.0.0.1:${port}/`, ['--sessions=1']);
    assert.equal(code, 5);
    assert.match(stderr, /1 sessions failed: session 0: cannot connect: Connection refused/);
  });
});

test('whole turns on both wires, against the simulator', {timeout: 60000}, (t) =>
  withFleet({workers: 1}, async (fleet) => {
    for (const wire of [[], ['--binary']]) {
      await t.test(wire[0] ?? 'json', async () => {
        const {code, stderr, report} = await load(`${fleet.url}/v1/realtime`, [
          '--mode=turns', '--sessions=4', '--utterance=400ms', '--warmup=0s', '--duration=1500ms', ...wire,
        ]);
        assert.equal(code, 0, stderr);
        assert.ok(report.turns >= 4, `${report.turns} turns`);
        assert.equal(report.commit_to_done_ms.count, report.turns);
        assert.equal(report.commit_to_first_audio_ms.count, report.turns);
        assert.ok(report.commit_to_first_audio_ms.p50 >= 30, `the simulator waits 30 ms, first audio came after ${report.commit_to_first_audio_ms.p50} ms`);
        assert.ok(report.audio_bytes > report.turns * 4800, `${report.audio_bytes} bytes of answers`);
      });
    }
  }));

test('wrong flags are refused with their names', async () => {
  const unknown = await runBinary('voicebridge-load', ['--sesions=3']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /sesions/);
  const wrong = await runBinary('voicebridge-load', ['--mode=fast', '--frame_ms=5', '--url=wss://example.org/', '--pids=x']);
  assert.equal(wrong.code, 2);
  for (const flag of ['mode', 'frame_ms', 'url', 'pids']) {
    assert.match(wrong.stderr, new RegExp(`--${flag}: `), flag);
  }
  const open = await runBinary('voicebridge-load', ['upstream', '--listen=0.0.0.0:0']);
  assert.equal(open.code, 2);
  assert.match(open.stderr, /--listen: expected 127.0.0.1:PORT/);
});

test('the comparison with HAProxy: a short run gives a table and a document', {timeout: 60000, skip: sanitized}, async () => {
  const {code, stdout, stderr} = await run(path.join(root, 'tests/load/compare'), [
    '--sessions=10', '--rounds=1', '--warmup=200ms', '--duration=600ms', '--ratio_max=1000',
  ], {ms: 50000, env: {VOICEBRIDGE_BIN_DIR: binDir}});
  assert.equal(code, 0, stderr);
  const document = JSON.parse(stdout.trim().split('\n').pop());
  assert.deepEqual(document.rows.map((row) => row.target), ['direct', 'haproxy', 'voicebridge', 'voicebridge-binary']);
  assert.ok(document.rows.every((row) => row.ok && row.lost === 0), stdout);
  assert.ok(document.rows[2].cpu_ratio > 0, stdout);
});

test('the comparison: medians, sums over a chain, ratios, and when it fails', () => {
  assert.equal(median([9, 1, 2]), 2);
  assert.equal(median([1, 2, 3, 10]), 2.5);
  const processes = [[1, 10], [2, 20], [3, 5]].map(([pid, cpu]) => (
    {pid, cpu_us_per_frame: cpu, voluntary_switches_per_frame: 1, rss_kib_per_session: 7}));
  const report = {processes, round_trip_ms: {p50: 1, p99: 2, count: 100}, frames: {late: 1, lost: 0}, own_cpu_us_per_frame: 4, ok: true};
  const figures = figuresOf(report, [1, 2]);
  assert.deepEqual([figures.cpu_us_per_frame, figures.kib_per_session, figures.tool_us_per_frame], [30, 14, 9]);

  const runs = (target, cpus) => cpus.map((cpu) => ({sessions: 200, target, figures: {...figures, cpu_us_per_frame: cpu}}));
  const rows = summarize([...runs('direct', [0, 0, 0]), ...runs('haproxy', [10, 30, 11]), ...runs('voicebridge', [20, 21, 90])]);
  assert.equal(rows.find((row) => row.target === 'voicebridge').cpu_ratio, 1.909);
  assert.equal(rows.find((row) => row.target === 'voicebridge').added_p50_ms, 0);
  assert.deepEqual(failures(rows, 2), []);
  assert.match(failures(rows, 1.9)[0], /voicebridge at 200 sessions costs 1.91 times HAProxy's CPU per frame, at most 1.9 is allowed/);
  assert.match(failures([{...rows[0], ok: false}], 2)[0], /frames were lost or changed/);
  assert.deepEqual(warnings(rows), []);
  assert.match(warnings(rows.map((row) => ({...row, p99_ms: 40})))[0], /the machine was busy at 200 sessions/);
});
