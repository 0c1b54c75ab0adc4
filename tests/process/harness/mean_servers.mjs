// HTTP servers that are of no help, in other ways than by holding an answer back.
import {spawn} from 'node:child_process';
import http from 'node:http';

import {patience} from './process.mjs';
import {waitUntil, within} from './wait.mjs';

// Begins its answers, and never ends them.
export class EndlessServer {
  calls = 0;

  static async start() {
    const server = new EndlessServer();
    server.http = http.createServer((call, response) => server.#answer(call, response));
    await new Promise((resolve) => server.http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.http.address().port}`;
  }

  async called(count) {
    await waitUntil(() => this.calls >= count, {ms: 10000 * patience, what: `${count} calls`, got: () => this.calls});
  }

  async stop() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  #answer(call, response) {
    response.on('error', () => {});
    response.writeHead(200, {'content-type': 'application/json'});
    const drip = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(drip));
    this.calls += 1;
  }
}

const kFullQueue = `
import socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
waiting = [socket.socket() for _ in range(4)]
for each in waiting:
    each.setblocking(False)
    each.connect_ex(listener.getsockname())
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`;

// A port on which nobody is answered, not even by the system: others wait there already, and are not let in.
export class FullPort {
  static async start() {
    const full = new FullPort();
    full.child = spawn('python3', ['-c', kFullQueue], {stdio: ['pipe', 'pipe', 'inherit']});
    const port = await within(new Promise((resolve) => full.child.stdout.setEncoding('utf8').once('data', resolve)), 10000 * patience, 'a port');
    full.url = `http://127.0.0.1:${Number(port)}`;
    return full;
  }

  async stop() {
    const ended = new Promise((resolve) => (this.child.exitCode === null && this.child.signalCode === null ? this.child.once('exit', resolve) : resolve()));
    this.child.kill('SIGKILL');
    await ended;
  }
}
