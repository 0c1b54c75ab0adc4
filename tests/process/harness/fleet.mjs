// A whole installation on free ports: simulator, workers, gateway.
import {strict as assert} from 'node:assert';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {peerFlags} from './authority.mjs';
import {RealtimeClient} from './client.mjs';
import {getJson, parseMetrics, postJson, request, total} from './http.mjs';
import {stablePort} from './ports.mjs';
import {binDir, ManagedProcess, patience, root, sanitized} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kPorts = ['--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0'];
const asItIs = (program, args) => [program, args];

export class Fleet {
  // `apiKeys`: {name: key} turns authentication on. `tls`: a certificate made by makeCertificate(). `upstreamHost`: the
  // name by which workers call the simulator, which listens on 127.0.0.1. `workerEnv`, `gatewayEnv`: of what is preloaded
  // into them. `otherWorkers`: addresses of workers that the test itself has started. `gatewayCommand(program, args)`,
  // `workerCommand`: how they are started. `peer`: {gateway, worker}, what each shows to the other, as peerFlags() takes it.
  // `workersReturn`: of those that end some are started again, at the address that they had.
  static async start(options = {}) {
    const fleet = new Fleet();
    try {
      await fleet.#start(options);
    } catch (error) {
      await fleet.kill();
      throw error;
    }
    return fleet;
  }

  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-test-'));
    this.workers = [];
    this.killed = [];
    this.clients = [];
  }

  async #start({
    workers = 2, simulatorFlags = [], workerFlags = [], gatewayFlags = [], apiKeys, tls, profiles, upstreamHost = '127.0.0.1', workerEnv = {},
    gatewayEnv = {}, otherWorkers = [], gatewayCommand = asItIs, workerCommand = asItIs, workersReturn = false, peer,
  } = {}) {
    this.simulator = ManagedProcess.binary('realtime-simulator', ['--listen=127.0.0.1:0', ...simulatorFlags], {label: 'simulator'});
    this.simulatorUrl = `http://${await this.simulator.listening('simulator')}`;
    const upstream = this.simulatorUrl.replace('127.0.0.1', upstreamHost);
    const start = (label, flags) => this.#startWorker(label, upstream, [...peerFlags(peer?.worker), ...flags], {profiles, workerEnv, workerCommand});
    for (let i = 0; i < workers; ++i) {
      const listen = workersReturn ? [`--listen=127.0.0.1:${await stablePort()}`] : [];
      this.workers.push(start(`worker-${i + 1}`, [...workerFlags, ...listen]));
    }
    this.startAgain = (worker, flags) => start(worker.name, [...workerFlags, ...flags]);
    const addresses = await Promise.all(this.workers.map((worker) => worker.listening('grpc')));
    this.gateway = new ManagedProcess('gateway', ...gatewayCommand(path.join(binDir, 'voicebridge-gateway'), [
      ...kPorts, `--workers=${[...addresses, ...otherWorkers].join(',')}`, ...this.#authFlags(apiKeys), ...tlsFlags(tls), ...peerFlags(peer?.gateway), ...gatewayFlags,
    ]), {env: gatewayEnv});
    const address = await this.gateway.listening('public');
    this.url = `${tls ? 'wss' : 'ws'}://${address}`;
    this.httpUrl = `${tls ? 'https' : 'http'}://${address}`;
    this.ops = new Map();
    for (const each of [this.gateway, ...this.workers]) {
      this.ops.set(each, `http://${await each.listening('ops')}`);
    }
    await this.servingWorkers(addresses.length + otherWorkers.length);
  }

  #startWorker(label, upstream, flags, {profiles, workerEnv, workerCommand}) {
    return new ManagedProcess(label, ...workerCommand(path.join(binDir, 'voicebridge-worker'), [
      ...kPorts, `--upstream_url=${upstream.replace('http', 'ws')}/v1/realtime`, `--responses_url=${upstream}/v1/responses`,
      `--profiles=${profiles ?? path.join(root, 'bridge_worker/profiles')}`, ...flags,
    ]), {env: {OPENAI_API_KEY: 'test-key', ...workerEnv}});
  }

  #authFlags(apiKeys) {
    if (!apiKeys) {
      return ['--insecure_no_auth'];
    }
    const file = path.join(this.dir, 'api-keys');
    const digest = (key) => createHash('sha256').update(key).digest('hex');
    fs.writeFileSync(file, Object.entries(apiKeys).map(([name, key]) => `${name} ${digest(key)}\n`).join(''));
    return [`--api_keys=${file}`];
  }

  // Waits until the gateway knows that so many workers serve.
  async servingWorkers(count, ms = 10000) {
    let seen;
    await waitUntil(async () => {
      const {status} = await request(`${this.ops.get(this.gateway)}/readyz`);
      seen = {readyz: status, serving: (await this.metrics(this.gateway)).get('voicebridge_gateway_workers_serving')};
      return seen.readyz === (count > 0 ? 200 : 503) && seen.serving === count;
    }, {ms: ms * patience, what: `the gateway to know that ${count} workers serve`, got: () => `${JSON.stringify(seen)}\n${this.logs()}`});
  }

  // As it is when the machine takes it away; from now on it is one of `killed`.
  async killWorker(worker) {
    worker.kill('SIGKILL');
    await worker.exited;
    this.leave(worker);
  }

  // It has ended, and is not expected to do so again.
  leave(worker) {
    this.workers = this.workers.filter((each) => each !== worker);
    this.killed.push(worker);
  }

  // A new process in the place of one that has ended, at the same address.
  async restartWorker(worker) {
    const address = await worker.listening('grpc');
    const again = this.startAgain(worker, [`--listen=${address}`]);
    this.workers.push(again);
    this.ops.set(again, `http://${await again.listening('ops')}`);
    return again;
  }

  get processes() {
    return [this.gateway, ...this.killed, ...this.workers, this.simulator].filter(Boolean);
  }

  // A client that the fleet closes at its end, whatever happens.
  async connect(options) {
    const client = await RealtimeClient.connect(options?.url ?? this.url, options);
    this.clients.push(client);
    return client;
  }

  dial(options) {
    const client = RealtimeClient.dial(options?.url ?? this.url, options);
    this.clients.push(client);
    return client;
  }

  journal() {
    return getJson(`${this.simulatorUrl}/journal`, {ms: 20000});
  }

  async fault(fault, arg, more = {}) {
    const answer = await postJson(`${this.simulatorUrl}/faults`, arg === undefined ? {fault, ...more} : {fault, arg, ...more});
    assert.ok(answer.status < 300, `POST /faults ${fault} answered ${answer.status}: ${answer.body}`);
  }

  async clearFaults() {
    const answer = await request(`${this.simulatorUrl}/faults`, {method: 'DELETE'});
    assert.ok(answer.status < 300, `DELETE /faults answered ${answer.status}: ${answer.body}`);
  }

  async script(script) {
    const answer = await postJson(`${this.simulatorUrl}/script`, script);
    assert.ok(answer.status < 300, `POST /script answered ${answer.status}: ${answer.body}`);
  }

  async metrics(process) {
    const answer = await request(`${this.ops.get(process)}/metrics`);
    assert.equal(answer.status, 200, `/metrics of ${process.name}`);
    return parseMetrics(answer.body);
  }

  // The upstream sends all the time, and a client does not read: nothing moves any more.
  async queuesFull() {
    let before = -1;
    await waitUntil(async () => {
      const each = await Promise.all(this.workers.map((worker) => this.metrics(worker)));
      const now = each.reduce((sum, metrics) => sum + metrics.get('voicebridge_worker_audio_bytes_to_gateway_total'), 0);
      const still = now > 1 << 20 && now === before;
      before = now;
      return still;
    }, {ms: 5000 * patience, every: 50, what: 'the queues to be full', got: () => before});
  }

  // The gauges that must be 0 once no session is left, by process name.
  async gauges() {
    const all = {};
    for (const process of [this.gateway, ...this.workers]) {
      const prefix = process === this.gateway ? 'voicebridge_gateway' : 'voicebridge_worker';
      const metrics = await this.metrics(process);
      all[process.name] = {};
      for (const noun of ['sessions', 'tasks', 'calls']) {
        assert.ok([...metrics.keys()].some((key) => key === `${prefix}_${noun}` || key.startsWith(`${prefix}_${noun}{`)),
                  `${process.name} has no metric ${prefix}_${noun}`);
        all[process.name][noun] = total(metrics, `${prefix}_${noun}`);
      }
    }
    return all;
  }

  // How many sessions ended for that reason, summed over the workers or at the gateway.
  async ended(reason) {
    const count = async (process, name) => total(await this.metrics(process), name, `reason="${reason}"`);
    let workers = 0;
    for (const worker of this.workers) {
      workers += await count(worker, 'voicebridge_worker_sessions_ended_total');
    }
    return {gateway: await count(this.gateway, 'voicebridge_gateway_sessions_ended_total'), workers};
  }

  async sessionsGone(ms = 5000) {
    let seen;
    await waitUntil(async () => {
      seen = await this.gauges();
      return Object.values(seen).every((gauge) => gauge.sessions === 0);
    }, {ms: ms * patience, what: 'all session gauges to be 0', got: () => JSON.stringify(seen), every: 20});
  }

  logs() {
    return this.processes.map((process) => `--- ${process.name} (${process.running ? 'running' : JSON.stringify(process.exit)})\n${process.tail()}`).join('\n');
  }

  // The orderly end, which is part of every test: exit code 0 of each process, no sanitizer report, nothing
  // refused at the strict upstream unless the test provoked it. `exitCode` may be a function of the process.
  async stop({refused = 0, exitCode = 0} = {}) {
    for (const client of this.clients) {
      client.terminate();
    }
    const journal = this.simulator.running ? await this.journal() : {refused: 0, sessions: []};
    if (refused !== 'any') {
      const refusals = journal.sessions.flatMap((session) => session.refusals ?? []);
      assert.equal(journal.refused, refused, `refused at the upstream: ${JSON.stringify(refusals)}`);
    }
    const ours = [this.gateway, ...this.workers];
    const exits = await Promise.all(ours.map((process) => process.stop('SIGTERM')));
    await this.simulator.stop('SIGTERM');
    for (const process of this.processes) {
      assert.equal(process.sanitizerReport(), undefined, `sanitizer report of ${process.name}`);
    }
    const expected = typeof exitCode === 'function' ? exitCode : () => exitCode;
    exits.forEach((exit, i) => assert.equal(exit.code, expected(ours[i]), `exit code of ${ours[i].name}: ${JSON.stringify(exit)}\n${ours[i].tail()}`));
    fs.rmSync(this.dir, {recursive: true, force: true});
    return exits;
  }

  async kill() {
    for (const client of this.clients) {
      client.terminate();
    }
    for (const process of this.processes) {
      process.kill('SIGKILL');
      await process.exited;
    }
    fs.rmSync(this.dir, {recursive: true, force: true});
  }
}

function tlsFlags(tls) {
  return tls ? [`--tls_cert=${tls.cert}`, `--tls_key=${tls.key}`] : [];
}

// Runs the body against a fresh fleet; a failure carries what the processes said last.
export async function withFleet(options, body) {
  const fleet = await Fleet.start(options);
  try {
    await body(fleet);
    await fleet.stop({refused: options.refused, exitCode: options.exitCode});
  } catch (error) {
    error.stack += `\n${fleet.logs()}`;
    await fleet.kill();
    throw error;
  }
}

export {binDir, sanitized};
