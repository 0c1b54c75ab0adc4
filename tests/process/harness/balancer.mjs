// The load balancer that ships, in front of two gateways.
import path from 'node:path';

import {request} from './http.mjs';
import {stablePort} from './ports.mjs';
import {ManagedProcess, patience, root} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kConfiguration = path.join(root, 'deploy/haproxy/haproxy.cfg');
const kPortAttempts = 5;

export class Balancer {
  // `gateways`: their processes. Ready when it holds all of them for up.
  static async start(gateways) {
    const env = await environmentOf(gateways);
    for (let attempt = 1;; ++attempt) {
      const balancer = new Balancer(env, await stablePort(), await stablePort());
      try {
        await balancer.up(gateways.length);
        return balancer;
      } catch (error) {
        await balancer.stop();
        if (attempt === kPortAttempts || !/cannot bind/.test(error.message)) {
          throw error;
        }
      }
    }
  }

  // HAProxy cannot tell which port the kernel gave it.
  constructor(env, port, opsPort) {
    this.url = `ws://127.0.0.1:${port}`;
    this.httpUrl = `http://127.0.0.1:${port}`;
    this.opsUrl = `http://127.0.0.1:${opsPort}`;
    this.process = new ManagedProcess('haproxy', 'haproxy', ['-db', '-f', kConfiguration], {
      env: {...env, PUBLIC_LISTEN: `127.0.0.1:${port}`, OPS_LISTEN: `127.0.0.1:${opsPort}`},
    });
  }

  // Waits until so many gateways are held for up.
  async up(count) {
    let seen;
    await waitUntil(async () => {
      if (!this.process.running) {
        throw new Error(`haproxy ended: ${this.process.exit.error ?? this.process.tail()}`);
      }
      seen = await this.#serversUp();
      return seen === count;
    }, {ms: 10000 * patience, what: `HAProxy to hold ${count} gateways for up`, got: () => `${seen}\n${this.process.tail()}`});
  }

  async stop() {
    await this.process.stop('SIGKILL');
  }

  async #serversUp() {
    const answer = await request(`${this.opsUrl}/metrics`).catch(() => undefined);
    const up = answer?.body.match(/^haproxy_server_status\{proxy="gateways",server="[^"]*",state="UP"\} 1$/gm);
    return up?.length ?? 0;
  }
}

async function environmentOf(gateways) {
  const env = {};
  for (const [i, gateway] of gateways.entries()) {
    env[`GATEWAY_${i + 1}`] = await gateway.listening('public');
    env[`GATEWAY_${i + 1}_OPS_PORT`] = (await gateway.listening('ops')).split(':')[1];
  }
  return env;
}
