// A TCP proxy that slows down what flows from the server to the client, as a poor network does.
import net from 'node:net';

import {pause} from './wait.mjs';

export class SlowProxy {
  // `bytesPerSecond` towards the client; Infinity passes all. Changed at any time. `firstByteMs`: what the server's
  // first word takes beside that.
  static async start(target, {bytesPerSecond = Infinity, firstByteMs = 0} = {}) {
    const proxy = new SlowProxy(target, bytesPerSecond);
    proxy.firstByteMs = firstByteMs;
    await new Promise((resolve, reject) => {
      proxy.server.once('error', reject);
      proxy.server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  constructor(target, bytesPerSecond) {
    const {hostname, port} = new URL(target);
    this.bytesPerSecond = bytesPerSecond;
    this.sockets = new Set();
    this.server = net.createServer((client) => this.#serve(client, hostname, Number(port)));
  }

  get url() {
    return `ws://127.0.0.1:${this.server.address().port}`;
  }

  async stop() {
    for (const socket of this.sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => this.server.close(resolve));
  }

  #serve(client, host, port) {
    const server = net.connect(port, host);
    for (const socket of [client, server]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.pipe(server);
    this.#trickle(server, client);
  }

  // Small bites at the given rate: a paused `server` socket fills, then the sender's socket.
  async #trickle(from, to) {
    try {
      await pause(this.firstByteMs);
      for await (const chunk of from) {
        for (let at = 0; at < chunk.length && !to.destroyed; at += 4096) {
          const bite = chunk.subarray(at, at + 4096);
          to.write(bite);
          if (Number.isFinite(this.bytesPerSecond)) {
            await pause((bite.length * 1000) / this.bytesPerSecond);
          }
        }
      }
      to.end();
    } catch {
      to.destroy();
    }
  }
}
