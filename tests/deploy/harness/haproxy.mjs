// The HAProxy of deploy/haproxy in front of gateways that a test plays.
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import {ManagedProcess, patience, request, waitUntil} from '../../process/harness.mjs';
import {stablePort} from '../../process/harness/ports.mjs';
import {deployDir} from './yaml.mjs';

const kAttempts = 5;
const kGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

export const configuration = path.join(deployDir, 'haproxy/haproxy.cfg');

// Answers upgrades, and whatever else, with what it is told to; echoes on sockets.
export class PlayedGateway {
  status = 101;
  ready = 200;
  requests = [];
  sockets = new Set();

  static async start() {
    const gateway = new PlayedGateway();
    gateway.server = http.createServer((asked, answer) => gateway.#respond(asked, answer));
    gateway.server.on('upgrade', (asked, socket) => gateway.#upgrade(asked, socket));
    gateway.ops = http.createServer((_, answer) => answer.writeHead(gateway.ready).end());
    gateway.port = await listen(gateway.server);
    gateway.opsPort = await listen(gateway.ops);
    return gateway;
  }

  #respond(asked, answer) {
    this.requests.push(asked);
    answer.writeHead(this.status === 101 ? 200 : this.status).end();
  }

  #upgrade(asked, socket) {
    this.requests.push(asked);
    this.sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    if (this.status !== 101) {
      socket.end(`HTTP/1.1 ${this.status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    const accept = createHash('sha1').update(asked.headers['sec-websocket-key'] + kGuid).digest('base64');
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
    socket.on('data', (data) => socket.write(data));
  }

  stop() {
    this.sockets.forEach((socket) => socket.destroy());
    [this.server, this.ops].forEach((server) => {
      server.closeAllConnections();
      server.close();
    });
  }
}

function listen(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
}

// HAProxy cannot tell which port the kernel gave it.
export async function startHaproxy(gateways, more = {}) {
  for (let attempt = 1;; ++attempt) {
    const [port, opsPort] = [await stablePort(), await stablePort()];
    const env = {PUBLIC_LISTEN: `127.0.0.1:${port}`, OPS_LISTEN: `127.0.0.1:${opsPort}`, ...more};
    gateways.forEach((gateway, i) => {
      env[`GATEWAY_${i + 1}`] = `127.0.0.1:${gateway.port}`;
      env[`GATEWAY_${i + 1}_OPS_PORT`] = String(gateway.opsPort);
    });
    const process = new ManagedProcess('haproxy', 'haproxy', ['-db', '-f', configuration], {env});
    const answers = async () => !process.running || (await request(`http://127.0.0.1:${opsPort}/healthz`).catch(() => ({}))).status === 200;
    await waitUntil(answers, {ms: 5000 * patience, what: 'HAProxy to listen', got: () => process.tail()});
    if (process.running) {
      return {process, port, url: `http://127.0.0.1:${port}`, opsUrl: `http://127.0.0.1:${opsPort}`};
    }
    if (attempt === kAttempts) {
      throw new Error(`HAProxy does not start:\n${process.text()}`);
    }
  }
}

// {status, headers, socket}: of an upgrade through it.
export function upgrade(url, headers = {}) {
  return new Promise((resolve, reject) => {
    const key = Buffer.alloc(16, 7).toString('base64');
    const call = http.request(`${url}/v1/realtime`, {
      agent: false, timeout: 5000 * patience,
      headers: {'Connection': 'Upgrade', 'Upgrade': 'websocket', 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': '13', ...headers},
    });
    call.on('upgrade', (answer, socket) => resolve({status: answer.statusCode, headers: answer.headers, socket: socket.on('error', () => {})}));
    call.on('response', (answer) => {
      answer.resume();
      resolve({status: answer.statusCode, headers: answer.headers});
    });
    call.on('timeout', () => call.destroy(new Error('no answer to the upgrade')));
    call.on('error', reject);
    call.end();
  });
}

// A copy of the configuration with a change, and what HAProxy itself says of it.
export function changed(directory, from, to) {
  const text = fs.readFileSync(configuration, 'utf8');
  const file = path.join(directory, 'haproxy.cfg');
  fs.writeFileSync(file, text.replace(from, to));
  return file;
}
