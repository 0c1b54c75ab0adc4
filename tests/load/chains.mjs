// What stands between the client and the echoing upstream, started afresh for every run.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

import {ManagedProcess, root} from '../process/harness/process.mjs';
import {request} from '../process/harness/http.mjs';
import {stablePort} from '../process/harness/ports.mjs';
import {waitUntil} from '../process/harness/wait.mjs';

const kPorts = ['--listen=127.0.0.1:0', '--admin_listen=127.0.0.1:0', '--ops_listen=127.0.0.1:0'];
const kOneAddress = ['--max_sessions_per_address=0', '--max_requests_per_minute_per_address=0'];  // From which all sessions come.
const kPortAttempts = 5;

// By name: starts a chain before the upstream's address and says where it is entered.
export const chains = {
  direct: async (upstream) => new Chain(upstream, []),
  haproxy: startHaproxy,
  voicebridge: startVoicebridge,
  'voicebridge-binary': async (upstream) => Object.assign(await startVoicebridge(upstream), {mode: 'binary'}),
};

export class Upstream {
  static async start() {
    const upstream = new Upstream();
    upstream.process = ManagedProcess.binary('voicebridge-load', ['upstream', '--listen=127.0.0.1:0'], {label: 'upstream'});
    upstream.address = await upstream.process.listening('upstream');
    return upstream;
  }

  async stop() {
    await this.process.stop();
  }
}

class Chain {
  // `processes`: those whose cost is measured, the entry first.
  constructor(entry, processes) {
    this.url = `ws://${entry}/v1/realtime`;
    this.processes = processes;
    this.mode = 'json';
  }

  get pids() {
    return this.processes.map((process) => process.pid);
  }

  async stop() {
    for (const process of this.processes) {
      await process.stop();
    }
  }
}

async function startVoicebridge(upstream) {
  const profiles = temporaryDir();
  fs.copyFileSync(path.join(root, 'bridge_worker/profiles/assistant.json'), path.join(profiles, 'assistant.json'));
  const worker = ManagedProcess.binary('voicebridge-worker', [
    ...kPorts, `--upstream_url=ws://${upstream}/v1/realtime`, `--profiles=${profiles}`,
  ], {label: 'worker', env: {OPENAI_API_KEY: 'test-key'}});
  const workers = await worker.listening('grpc');
  fs.rmSync(profiles, {recursive: true});
  const gateway = ManagedProcess.binary('voicebridge-gateway', [
    ...kPorts, '--insecure_no_auth', ...kOneAddress, `--workers=${workers}`,
  ], {label: 'gateway'});
  const ops = await gateway.listening('ops');
  await waitUntil(async () => (await request(`http://${ops}/readyz`)).status === 200,
                  {ms: 10000, what: 'the gateway to be ready', got: () => gateway.tail()});
  return new Chain(await gateway.listening('public'), [gateway, worker]);
}

async function startHaproxy(upstream) {
  const inner = await startHop('haproxy-2', upstream);
  const outer = await startHop('haproxy-1', inner.address);
  return new Chain(outer.address, [outer.process, inner.process]);
}

// HAProxy cannot tell which port the kernel gave it, so it is told one that was free a moment ago.
async function startHop(name, next) {
  for (let attempt = 1;; ++attempt) {
    const port = await stablePort();
    const dir = temporaryDir();
    const file = path.join(dir, 'haproxy.cfg');
    fs.writeFileSync(file, configuration(port, next));
    const process = new ManagedProcess(name, 'haproxy', ['-db', '-f', file]);
    try {
      await waitUntil(() => accepts(port, process), {ms: 5000, what: `${name} to listen`, got: () => process.tail()});
      return {process, address: `127.0.0.1:${port}`};
    } catch (error) {
      await process.stop('SIGKILL');
      if (attempt === kPortAttempts) {
        throw error;
      }
    } finally {
      fs.rmSync(dir, {recursive: true, force: true});
    }
  }
}

function temporaryDir() {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-load-'));
}

function configuration(port, next) {
  return `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 1h
frontend public
  bind 127.0.0.1:${port}
  default_backend next
backend next
  server next ${next}
`;
}

async function accepts(port, process) {
  if (!process.running) {
    throw new Error(`${process.name} ended: ${process.exit.error ?? process.tail()}`);
  }
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
