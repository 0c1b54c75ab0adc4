// A TCP connection without a protocol: exact bytes out, exact bytes and the kind of end in.
import fs from 'node:fs';
import net from 'node:net';

import {patience, waitUntil, within} from '../../process/harness.mjs';

const kWait = 5000;
const open = new Set();

export class RawSocket {
  // `url`: of the gateway, any scheme.
  static async connect(url) {
    const {hostname, port} = new URL(url);
    const socket = net.connect({host: hostname, port: Number(port), allowHalfOpen: true, noDelay: true});
    await within(new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    }), kWait * patience, `a connection to ${url}`);
    return new RawSocket(socket);
  }

  // What a test has left open; its end belongs to the test.
  static endAll() {
    open.forEach((each) => each.destroy());
  }

  constructor(socket) {
    this.socket = socket;
    this.received = Buffer.alloc(0);
    this.chunks = [];
    this.end = undefined;  // 'fin' or the code of the error.
    this.wake = () => {};
    open.add(this);
    socket.on('data', (chunk) => {
      this.chunks.push(chunk);
      this.wake();
    });
    socket.on('end', () => this.#ended('fin'));
    socket.on('error', (error) => this.#ended(error.code));
    socket.on('close', () => this.#ended('destroyed'));
  }

  send(...pieces) {
    this.socket.write(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
  }

  // Each piece reaches the server by a read of its own: the next one is sent when the server's system holds
  // nothing of this connection any more.
  async sendApart(pieces) {
    for (const piece of pieces) {
      this.socket.write(piece);
      await this.taken();
    }
  }

  async taken() {
    await new Promise(setImmediate);  // What has come meanwhile is seen, too.
    const line = new RegExp(`^ *\\d+: \\S+:${hexPort(this.socket.remotePort)} \\S+:${hexPort(this.socket.localPort)} \\S+ \\w+:(\\w+) `, 'm');
    await waitUntil(() => {
      const own = line.exec(fs.readFileSync('/proc/net/tcp', 'latin1'));
      return this.socket.writableLength === 0 && (own === null || Number.parseInt(own[1], 16) === 0);
    }, {ms: kWait * patience, what: 'the server to read what was sent', every: 0});
  }

  // `find` looks at all bytes that are not taken yet; undefined: not yet.
  async until(find, what, ms = kWait) {
    const wait = new Promise((resolve, reject) => {
      this.wake = () => {
        try {
          const found = find(this.#merge());
          if (found !== undefined) {
            resolve(found);
          } else if (this.end !== undefined) {
            reject(new Error(`the connection ended (${this.end}) before ${what}; got: ${this.#summary()}`));
          }
        } catch (error) {
          reject(error);
        }
      };
      this.wake();
    });
    try {
      return await within(wait, ms * patience, what, () => this.#summary());
    } finally {
      this.wake = () => {};
    }
  }

  take(count) {
    const taken = this.#merge().subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  // How the server ended its half, and what came before.
  async toEnd(ms = kWait) {
    await this.until(() => (this.end === undefined ? undefined : true), 'the end of the connection', ms);
    return {how: this.end, bytes: this.take(Infinity)};
  }

  // One HTTP response; bodies have a Content-Length here.
  async response({ms = kWait, toHead = false} = {}) {
    const head = await this.until((bytes) => {
      const end = bytes.indexOf('\r\n\r\n');
      return end < 0 ? undefined : bytes.toString('latin1', 0, end + 4);
    }, 'the head of a response', ms);
    this.take(head.length);
    const parsed = parseHead(head);
    const length = toHead || parsed.status === 101 ? 0 : Number(parsed.headers['content-length'] ?? 0);
    await this.until((bytes) => (bytes.length >= length ? true : undefined), `a body of ${length} bytes`, ms);
    return {...parsed, body: this.take(length).toString()};
  }

  finish() {
    this.socket.end();
  }

  destroy() {
    open.delete(this);
    this.socket.destroy();
  }

  #merge() {
    if (this.chunks.length > 0) {
      this.received = Buffer.concat([this.received, ...this.chunks]);
      this.chunks = [];
    }
    return this.received;
  }

  #ended(how) {
    this.end ??= how;
    this.wake();
  }

  #summary() {
    const bytes = this.#merge();
    return bytes.length === 0 ? 'nothing' : `${bytes.length} bytes ${JSON.stringify(bytes.toString('latin1', 0, 300))}`;
  }
}

function hexPort(port) {
  return port.toString(16).toUpperCase().padStart(4, '0');
}

function parseHead(head) {
  const [statusLine, ...lines] = head.trimEnd().split('\r\n');
  const [, version, status] = /^HTTP\/(\d\.\d) (\d{3}) /.exec(statusLine) ?? [];
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers[name] = headers[name] === undefined ? line.slice(colon + 1).trim() : `${headers[name]}, ${line.slice(colon + 1).trim()}`;
  }
  return {status: Number(status), version, headers, head};
}
