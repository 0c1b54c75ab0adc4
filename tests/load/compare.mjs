// Runs voicebridge and HAProxy in turns under the same load; see `compare`.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {parseArgs} from 'node:util';

import {binDir, root, runBinary} from '../process/harness/process.mjs';
import {chains, Upstream} from './chains.mjs';
import {failures, figuresOf, summarize, table, warnings} from './figures.mjs';

function readOptions() {
  const text = (value) => ({type: 'string', default: value});
  const {values} = parseArgs({
    options: {
      sessions: text('200,300'), rounds: text('3'), duration: text('10s'), warmup: text('2s'), frame_ms: text('40'),
      targets: text(Object.keys(chains).join(',')), ratio_max: text('2.0'), out: {type: 'string'},
    },
  });
  const targets = values.targets.split(',');
  const unknown = targets.find((target) => !(target in chains));
  if (unknown !== undefined) {
    throw new Error(`--targets: expected some of ${Object.keys(chains).join(', ')}, got "${unknown}"`);
  }
  return {
    ...values, targets, sessions: values.sessions.split(',').map((each) => count('sessions', each)),
    rounds: count('rounds', values.rounds), ratio_max: Number(values.ratio_max),
  };
}

function count(flag, text) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`--${flag}: expected a number of at least 1, got "${text}"`);
  }
  return number;
}

async function runOnce(options, sessions, target, seed) {
  const upstream = await Upstream.start();
  let chain;
  try {
    chain = await chains[target](upstream.address);
    const pids = [...chain.pids, upstream.process.pid];
    const result = await runBinary('voicebridge-load', [
      `--url=${chain.url}`, `--sessions=${sessions}`, `--mode=${chain.mode}`, `--duration=${options.duration}`,
      `--warmup=${options.warmup}`, `--frame_ms=${options.frame_ms}`, `--seed=${seed}`, `--pids=${pids.join(',')}`,
    ], {ms: 24 * 3600 * 1000});
    if (!result.stdout.startsWith('{')) {
      throw new Error(`${target} at ${sessions} sessions: ${result.stderr}`);
    }
    const report = JSON.parse(result.stdout);
    return {sessions, target, seed, figures: figuresOf(report, chain.pids), report};
  } finally {
    await chain?.stop();
    await upstream.stop();
  }
}

// Every round does all targets, each time beginning with another one.
async function runAll(options) {
  const runs = [];
  for (const sessions of options.sessions) {
    for (let round = 0; round < options.rounds; ++round) {
      for (let i = 0; i < options.targets.length; ++i) {
        const target = options.targets[(i + round) % options.targets.length];
        const run = await runOnce(options, sessions, target, round + 1);
        const {cpu_us_per_frame: cpu, p50_ms: p50, p99_ms: p99, lost} = run.figures;
        console.error(`${sessions} sessions, round ${round + 1}, ${target}: ${cpu.toFixed(1)} us CPU per frame, ` +
                      `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, ${lost} lost`);
        runs.push(run);
      }
    }
  }
  return runs;
}

function outputOf(program, args) {
  try {
    return execFileSync(program, args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']}).split('\n')[0].trim();
  } catch {
    return 'unknown';
  }
}

function machine() {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    cpu: `${cpus.length} x ${cpus[0]?.model.trim() ?? 'unknown'}`,
    memory_mib: Math.round(os.totalmem() / 2 ** 20),
    kernel: os.release(),
    congestion_control: readOr('/proc/sys/net/ipv4/tcp_congestion_control'),
    load_before: os.loadavg().map((value) => Number(value.toFixed(2))),
    voicebridge: outputOf(path.join(binDir, 'voicebridge-gateway'), ['--version']),
    commit: outputOf('git', ['-C', root, 'rev-parse', '--short', 'HEAD']),
    haproxy: outputOf('haproxy', ['-v']).replace(/ - http.*/, ''),
    node: process.version,
  };
}

function readOr(file, otherwise = 'unknown') {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return otherwise;
  }
}

async function main() {
  const options = readOptions();
  const facts = machine();
  const runs = await runAll(options);
  const rows = summarize(runs);
  const problems = failures(rows, options.ratio_max);
  console.log(`${facts.date.slice(0, 10)}, commit ${facts.commit}: ${facts.cpu}, kernel ${facts.kernel}, ${facts.haproxy}; ` +
              `medians of ${options.rounds} rounds of ${options.duration}\n`);
  console.log(table(rows));
  warnings(rows).forEach((warning) => console.log(`\nNot to be relied on: ${warning}.`));
  console.log(`\n${JSON.stringify({machine: facts, options, rows, problems, runs: runs.map(({report, ...run}) => run)})}`);
  if (options.out) {
    fs.writeFileSync(options.out, `${JSON.stringify({machine: facts, options, rows, problems, runs})}\n`);
  }
  problems.forEach((problem) => console.error(`FAILED: ${problem}`));
  return problems.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`compare: ${error.message}`);
  process.exitCode = 2;
}
