// The alert rules: each fires when it is to, is quiet otherwise, and asks for metrics that exist.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';

import {root, run} from './harness.mjs';

const kRules = path.join(root, 'deploy/prometheus/alerts.yaml');
const kMinutes = 45;  // Of each scene; it is looked at in the end.

// Series as promtool writes them: 'value x times', 'start+step x times', one a minute.
const still = (value) => `${value}x${kMinutes}`;
const rising = (perMinute) => `0+${perMinute}x${kMinutes}`;
const once = (value, at = kMinutes - 3) => `${'0 '.repeat(at)}${value}x${kMinutes - at}`;

const kGateway = '{job="voicebridge-gateway",instance="g1"}';
const kWorker = '{job="voicebridge-worker",instance="w1"}';
const gateway = (name, labels = '') => `voicebridge_gateway_${name}{job="voicebridge-gateway",instance="g1"${labels && `,${labels}`}}`;
const worker = (name, labels = '', instance = 'w1') => `voicebridge_worker_${name}{job="voicebridge-worker",instance="${instance}"${labels && `,${labels}`}}`;

// A histogram of which that many observations a minute are below each bound.
function histogram(series, buckets) {
  return Object.fromEntries(Object.entries(buckets).map(([le, perMinute]) => [series(`le="${le}"`), rising(perMinute)]));
}

const ended = (process, reasons) =>
  Object.fromEntries(Object.entries(reasons).map(([reason, perMinute]) => [process('sessions_ended_total', `reason="${reason}"`), rising(perMinute)]));

const lags = (process, late) => histogram((le) => process('loop_lag_seconds_bucket', `shard="0",${le}`), {'0.00025': 1000 - late, '0.1': 1000, '+Inf': 1000});
const relays = (process, late) => histogram((le) => process('relay_seconds_bucket', `to="worker",${le}`), {'0.1': 1000 - late, '0.25': 1000, '+Inf': 1000});
const waits = (name, late) => histogram((le) => gateway(`${name}_bucket`, le), {'2.5': 100 - late, '5': 100, '10': 100, '+Inf': 100});
const fleet = (sessions, draining) => ({
  [worker('sessions')]: still(sessions), [worker('capacity')]: still(100), [worker('draining')]: still(0),
  [worker('sessions', '', 'w2')]: still(0), [worker('capacity', '', 'w2')]: still(100), [worker('draining', '', 'w2')]: still(draining),
});

// Of each alert, scenes in which it fires and scenes in which it does not.
const kScenes = {
  VoicebridgeDown: {
    fires: [{[`up${kWorker}`]: still(0)}, {[`up${kGateway}`]: once(0).replaceAll('0 ', '1 ')}],
    quiet: [{[`up${kWorker}`]: still(1)}, {'up{job="node"}': still(0)}, {[`up${kWorker}`]: `${'1 '.repeat(kMinutes)}0`}],
  },
  VoicebridgeNotScraped: {
    fires: [{[`up${kWorker}`]: still(1)}, {[`up${kGateway}`]: still(1), 'up{job="node"}': still(1)}],
    quiet: [{[`up${kWorker}`]: still(1), [`up${kGateway}`]: still(0)}],
  },
  VoicebridgeNoWorkerServes: {
    fires: [{[gateway('workers_serving')]: once(0), [gateway('draining')]: still(0)}],
    quiet: [{[gateway('workers_serving')]: still(2), [gateway('draining')]: still(0)}, {[gateway('workers_serving')]: still(0), [gateway('draining')]: still(1)}],
  },
  VoicebridgeRestarts: {
    fires: [{[`process_start_time_seconds${kWorker}`]: `${'1 '.repeat(30)}2 3 4 5x${kMinutes - 33}`}],
    quiet: [{[`process_start_time_seconds${kWorker}`]: `${'1 '.repeat(30)}2x${kMinutes - 30}`}, {'process_start_time_seconds{job="node"}': rising(1)}],
  },
  VoicebridgeSessionsFail: {
    fires: [ended(gateway, {client_closed: 90, worker_lost: 10}), ended(gateway, {client_closed: 10, internal: 1, no_worker: 1})],
    quiet: [ended(gateway, {client_closed: 98, worker_lost: 2}), ended(gateway, {client_closed: 1, worker_lost: 1}), ended(gateway, {client_closed: 10, draining: 90})],
  },
  VoicebridgeUpstreamRefuses: {
    fires: [
      {[worker('sessions_ended_total', 'reason="upstream_refused"')]: once(1)},
      {[worker('assessment_attempts_total', 'outcome="rejected"')]: once(1)},
    ],
    quiet: [
      {[worker('sessions_ended_total', 'reason="upstream_refused"')]: still(7)},
      {[worker('sessions_ended_total', 'reason="upstream_lost"')]: rising(9), [worker('assessment_attempts_total', 'outcome="unavailable"')]: rising(9)},
    ],
  },
  VoicebridgeWorkersNearlyFull: {fires: [fleet(90, 1)], quiet: [fleet(80, 1), fleet(90, 0)]},
  VoicebridgeStoreAway: {
    fires: [{[worker('store_available')]: once(0).replaceAll('0 ', '1 ')}],
    quiet: [{[worker('store_available')]: still(1)}, {[worker('store_available')]: `${'1 '.repeat(kMinutes)}0`}],
  },
  VoicebridgeStoreBehind: {fires: [{[worker('store_pending')]: still(1001)}], quiet: [{[worker('store_pending')]: still(1000)}]},
  VoicebridgeRecordsLost: {
    fires: [{[worker('records_lost_total', 'record="report"')]: once(1), [worker('records_lost_total', 'record="session"')]: still(0)}],
    quiet: [{[worker('records_lost_total', 'record="report"')]: still(3)}],
  },
  VoicebridgeInternalErrors: {
    fires: [{[gateway('sessions_ended_total', 'reason="internal"')]: once(1)}, {[worker('sessions_ended_total', 'reason="internal"')]: once(1)}],
    quiet: [{[gateway('sessions_ended_total', 'reason="internal"')]: still(4), [worker('sessions_ended_total', 'reason="client_closed"')]: rising(5)}],
  },
  VoicebridgeAnswersSlow: {fires: [waits('commit_to_first_audio_seconds', 20)], quiet: [waits('commit_to_first_audio_seconds', 2)]},
  VoicebridgeStartsSlow: {fires: [waits('ready_seconds', 20)], quiet: [waits('ready_seconds', 2)]},
  VoicebridgeLoopLags: {fires: [lags(gateway, 30), lags(worker, 30)], quiet: [lags(gateway, 1), lags(worker, 1)]},
  VoicebridgeRelaySlow: {fires: [relays(gateway, 200), relays(worker, 200)], quiet: [relays(gateway, 50), relays(worker, 50)]},
  VoicebridgeUpstreamStalls: {
    fires: [{[worker('read_pauses_total', 'to="upstream"')]: rising(3)}],
    quiet: [{[worker('read_pauses_total', 'to="upstream"')]: rising(1), [worker('read_pauses_total', 'to="gateway"')]: rising(30)}],
  },
  VoicebridgeTroubles: {
    fires: [{[worker('troubles_total', 'event="response.failed"')]: rising(3)}],
    quiet: [{[worker('troubles_total', 'event="response.failed"')]: rising(1), [worker('troubles_total', 'event="voice.not_changed"')]: rising(9)}],
  },
  VoicebridgeAssessmentsFail: {
    fires: [{[worker('assessment_seconds_count', 'result="completed"')]: rising(6), [worker('assessment_seconds_count', 'result="failed"')]: rising(3)}],
    quiet: [
      {[worker('assessment_seconds_count', 'result="completed"')]: rising(9), [worker('assessment_seconds_count', 'result="failed"')]: rising(1)},
      {[worker('assessment_seconds_count', 'result="completed"')]: rising(1), [worker('assessment_seconds_count', 'result="released"')]: rising(9)},
      {[worker('assessment_seconds_count', 'result="completed"')]: still(0), [worker('assessment_seconds_count', 'result="failed"')]: still(0)},
    ],
  },
  VoicebridgeToolsFail: {
    fires: [{[worker('tool_call_seconds_count', 'outcome="answered"')]: rising(6), [worker('tool_call_seconds_count', 'outcome="not_started"')]: rising(3)}],
    quiet: [{[worker('tool_call_seconds_count', 'outcome="answered"')]: rising(9), [worker('tool_call_seconds_count', 'outcome="failed"')]: rising(1)}],
  },
  VoicebridgeRequestsRefused: {fires: [{[gateway('requests_refused_total')]: rising(90)}], quiet: [{[gateway('requests_refused_total')]: rising(50)}]},
  VoicebridgeDrainForced: {
    fires: [{[gateway('drain_forced_total')]: once(2)}, {[worker('drain_forced_total')]: once(1)}],
    quiet: [{[gateway('drain_forced_total')]: still(2), [worker('drain_forced_total')]: still(0)}],
  },
  VoicebridgeStaysDrained: {
    fires: [gateway, worker].map((process) => ({[process('draining')]: still(1), [process('drain_seconds_left')]: still(0)})),
    quiet: [
      {[gateway('draining')]: still(0), [gateway('drain_seconds_left')]: still(0)},
      {[worker('draining')]: once(1), [worker('drain_seconds_left')]: still(0)},
      {[worker('draining')]: still(1), [worker('drain_seconds_left')]: still(900)},
    ],
  },
  VoicebridgeCertificateExpires: {
    fires: [{[gateway('certificate_seconds_left', 'listener="public"')]: still(6 * 86400)}, {[worker('certificate_seconds_left', 'listener="peer"')]: still(-1)}],
    quiet: [{[gateway('certificate_seconds_left', 'listener="public"')]: still(8 * 86400), [worker('certificate_seconds_left', 'listener="peer"')]: still(8 * 86400)}],
  },
  VoicebridgeReloadRefused: {
    fires: [{[gateway('reloads_refused_total')]: once(1)}, {[worker('reloads_refused_total')]: once(1)}],
    quiet: [{[gateway('reloads_refused_total')]: still(3), [worker('reloads_refused_total')]: still(0)}],
  },
  VoicebridgeFewDescriptors: {
    fires: [{[`process_open_fds${kWorker}`]: still(900), [`process_max_fds${kWorker}`]: still(1024)}],
    quiet: [{[`process_open_fds${kWorker}`]: still(500), [`process_max_fds${kWorker}`]: still(1024)}],
  },
};

// One scene as promtool's unit tests have it.
function testOf(alert, scene, firing) {
  return {
    interval: '1m',
    input_series: Object.entries(scene).map(([series, values]) => ({series, values})),
    promql_expr_test: [{
      expr: `count(ALERTS{alertname="${alert}",alertstate="firing"}) or vector(0)`,
      eval_time: `${kMinutes}m`,
      exp_samples: [{labels: '{}', value: firing ? 1 : 0}],
    }],
  };
}

const kText = fs.readFileSync(kRules, 'utf8');
const kAlerts = kText.split(/^ {6}- alert: /m).slice(1).map((block) => ({name: block.split('\n')[0].trim(), block}));

test('promtool finds nothing to say about the rules', async () => {
  const {code, stdout, stderr} = await run('promtool', ['check', 'rules', kRules], {ms: 20000});
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`SUCCESS: ${kAlerts.length} rules found`));
});

test('each alert fires when it is to, and only then', async () => {
  assert.deepEqual(kAlerts.map(({name}) => name).sort(), Object.keys(kScenes).sort(), 'scenes for each alert');
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-alerts-'));
  const file = path.join(directory, 'tests.yaml');  // JSON is YAML, too.
  const tests = Object.entries(kScenes).flatMap(([alert, {fires, quiet}]) => [
    ...fires.map((scene) => testOf(alert, scene, true)),
    ...quiet.map((scene) => testOf(alert, scene, false)),
  ]);
  fs.writeFileSync(file, JSON.stringify({rule_files: [kRules], evaluation_interval: '1m', tests}));
  const {code, stdout, stderr} = await run('promtool', ['test', 'rules', file], {ms: 60000});
  assert.equal(code, 0, `${stdout}${stderr}`);
  fs.rmSync(directory, {recursive: true, force: true});
});

test('each says how urgent it is, what it means and what to do', () => {
  for (const {name, block} of kAlerts) {
    assert.match(block, /^ {8}labels: \{severity: (page|ticket)\}$/m, name);
    for (const annotation of ['summary', 'meaning', 'action']) {
      assert.match(block, new RegExp(`^ {10}${annotation}: .{10,}`, 'm'), `${annotation} of ${name}`);
    }
  }
});

test('the rules name only metrics that gateway and worker export', () => {
  const exported = ['gateway_metrics.txt', 'worker_metrics.txt'].flatMap(
      (name) => fs.readFileSync(path.join(root, 'tests/golden', name), 'utf8').trim().split('\n'));
  const named = [...kText.replace(/^#.*$/gm, '').matchAll(/\b(?:voicebridge|process)_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''));
  assert.ok(named.length > kAlerts.length, 'they are found');
  assert.deepEqual([...new Set(named)].filter((name) => !exported.includes(name)), []);
});
