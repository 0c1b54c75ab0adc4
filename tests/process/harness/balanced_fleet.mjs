// An installation as it is deployed: a load balancer, two gateways, workers that are found by a name, PostgreSQL.
import {strict as assert} from 'node:assert';
import path from 'node:path';

import {AdminClient} from './admin.mjs';
import {Balancer} from './balancer.mjs';
import {Hosts} from './hosts.mjs';
import {parseMetrics, request, total} from './http.mjs';
import {binDir, ManagedProcess, patience, root} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kName = 'workers.test';
const kPorts = ['--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0'];

export class BalancedFleet {
  // `database`: what workers store in. `workers` of them at the start.
  static async start({workers = 1, gateways = 2, database, simulatorFlags = [], workerFlags = []}) {
    const fleet = new BalancedFleet({database, workerFlags});
    try {
      await fleet.#start({workers, gateways, simulatorFlags});
    } catch (error) {
      error.stack += `\n${fleet.logs()}`;
      await fleet.kill();
      throw error;
    }
    return fleet;
  }

  constructor({database, workerFlags}) {
    Object.assign(this, {database, workerFlags, hosts: new Hosts(), workers: [], gateways: [], ended: [], started: 0});
  }

  async #start({workers, gateways, simulatorFlags}) {
    this.simulator = ManagedProcess.binary('realtime-simulator', ['--listen=127.0.0.1:0', ...simulatorFlags], {label: 'simulator'});
    this.upstream = await this.simulator.listening('simulator');
    await this.addWorkers(workers);
    for (let i = 1; i <= gateways; ++i) {
      this.gateways.push(new ManagedProcess(`gateway-${i}`, ...this.hosts.command(path.join(binDir, 'voicebridge-gateway'), [
        '--listen=127.0.0.1:0', ...kPorts, '--insecure_no_auth', `--workers=dns:${kName}:${this.port}`,
      ])));
    }
    await this.serving(workers);
    this.balancer = await Balancer.start(this.gateways);
    this.url = this.balancer.url;
  }

  // Starts workers, and puts them under the name once they listen.
  async addWorkers(count) {
    const added = [];
    for (let i = 0; i < count; ++i) {
      const worker = this.#startWorker(`127.0.1.${this.started += 1}`);
      worker.address = await worker.listening('grpc');
      this.port ??= worker.address.split(':')[1];  // A name's workers have one port in common.
      added.push(worker);
    }
    this.workers.push(...added);
    this.#name();
    return added;
  }

  // Asks it by the Admin service to drain and exit, as an operator scales down. Its summary and its exit.
  async removeWorker(worker, request) {
    const admin = await AdminClient.of(worker);
    try {
      const summary = await admin.drain({...request, then: 'EXIT'});
      this.workers = this.workers.filter((each) => each !== worker);
      this.ended.push(worker);
      this.#name();
      return {summary, exit: await worker.waitForExit(5000, 'its drain')};
    } finally {
      admin.close();
    }
  }

  // Both gateways know that so many workers serve.
  async serving(count) {
    let seen;
    const began = performance.now();
    await waitUntil(async () => {
      seen = await Promise.all(this.gateways.map(async (gateway) => (await this.metrics(gateway)).get('voicebridge_gateway_workers_serving')));
      return seen.every((each) => each === count);
    }, {ms: 10000 * patience, what: `${count} workers to serve`, got: () => seen});
    return performance.now() - began;
  }

  async metrics(process) {
    const answer = await request(`http://${await process.listening('ops')}/metrics`);
    assert.equal(answer.status, 200, `/metrics of ${process.name}`);
    return parseMetrics(answer.body);
  }

  async sum(processes, metric, label) {
    const all = await Promise.all(processes.map(async (process) => total(await this.metrics(process), metric, label)));
    return all.reduce((sum, each) => sum + each, 0);
  }

  // By worker.
  sessions() {
    return Promise.all(this.workers.map(async (worker) => (await this.metrics(worker)).get('voicebridge_worker_sessions')));
  }

  async sessionsGone() {
    const held = async () => await this.sum(this.gateways, 'voicebridge_gateway_sessions') + await this.sum(this.workers, 'voicebridge_worker_sessions');
    await waitUntil(async () => await held() === 0, {ms: 10000 * patience, what: 'all sessions to be gone'});
  }

  get processes() {
    return [this.balancer?.process, ...this.gateways, ...this.workers, ...this.ended, this.simulator].filter(Boolean);
  }

  logs() {
    return this.processes.map((process) => `--- ${process.name} (${process.running ? 'running' : JSON.stringify(process.exit)})\n${process.tail(15)}`).join('\n');
  }

  // All go in order.
  async stop() {
    const ours = [...this.gateways, ...this.workers].filter((process) => process.running);
    const exits = await Promise.all(ours.map((process) => process.stop('SIGTERM')));
    exits.forEach((exit, i) => assert.equal(exit.code, 0, `exit code of ${ours[i].name}: ${JSON.stringify(exit)}\n${ours[i].tail()}`));
    await this.kill();
  }

  async kill() {
    for (const process of this.processes) {
      process.kill('SIGKILL');
      await process.exited;
    }
    this.hosts.remove();
  }

  #startWorker(host) {
    return new ManagedProcess(`worker at ${host}`, path.join(binDir, 'voicebridge-worker'), [
      `--listen=${host}:${this.port ?? 0}`, ...kPorts, `--upstream_url=ws://${this.upstream}/v1/realtime`,
      `--responses_url=http://${this.upstream}/v1/responses`, `--profiles=${path.join(root, 'bridge_worker/profiles')}`,
      `--store=${this.database.url}`, ...this.workerFlags,
    ], {env: {OPENAI_API_KEY: 'test-key'}});
  }

  #name() {
    this.hosts.set(kName, this.workers.map(({address}) => address.split(':')[0]));
  }
}

// Runs the body against a fresh fleet; a failure carries what the processes said last.
export async function withBalancedFleet(options, body) {
  const fleet = await BalancedFleet.start(options);
  try {
    await body(fleet);
    await fleet.stop();
  } catch (error) {
    error.stack += `\n${fleet.logs()}`;
    await fleet.kill();
    throw error;
  }
}
