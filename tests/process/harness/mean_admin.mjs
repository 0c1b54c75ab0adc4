// An Admin listener that is as unhelpful as a test wants: HTTP/2 by hand, down to how its connections break.
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';

import protoLoader from '@grpc/proto-loader';

import {root} from './process.mjs';

const kAdmin = protoLoader.loadSync('voicebridge/v1/admin.proto', {includeDirs: [path.join(root, 'proto')], keepCase: true, enums: String})['voicebridge.v1.Admin'];
const kHeaders = {':status': 200, 'content-type': 'application/grpc'};

// As it travels: not compressed, its length, the message.
export function frameOf(progress) {
  const message = kAdmin.Drain.responseSerialize(progress);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

export class MeanAdmin {
  requests = [];  // DrainRequests, as they came.
  #server;
  #sockets = new Set();

  // `behave(call)` is called once a request is there. `call`: {request, send(...frames), status(code, message),
  // stream, socket}; send() resolves when the system has taken it all.
  static async start(behave) {
    const admin = new MeanAdmin();
    admin.#server = http2.createServer();
    admin.#server.on('connection', (socket) => {
      admin.#sockets.add(socket);
      socket.on('error', () => {});
    });
    admin.#server.on('session', (session) => session.on('error', () => {}));
    admin.#server.on('stream', (stream) => admin.#open(stream, behave));
    await admin.#listen();
    return admin;
  }

  // A port that takes connections and never says anything, not even its settings.
  static async startMute() {
    const admin = new MeanAdmin();
    admin.#server = net.createServer((socket) => {
      admin.#sockets.add(socket);
      socket.on('error', () => {});
    });
    await admin.#listen();
    return admin;
  }

  get address() {
    return `127.0.0.1:${this.#server.address().port}`;
  }

  async stop() {
    this.#sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #listen() {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', resolve);
    });
  }

  #open(stream, behave) {
    const socket = [...this.#sockets].at(-1);
    const pieces = [];
    stream.on('error', () => {});
    stream.on('data', (piece) => pieces.push(piece));
    stream.on('end', () => {
      const request = kAdmin.Drain.requestDeserialize(Buffer.concat(pieces).subarray(5));
      this.requests.push(request);
      behave({request, stream, socket, send: (...frames) => send(stream, frames), status: (code, message) => endWith(stream, code, message)});
    });
  }
}

function respond(stream, options) {
  if (!stream.headersSent) {
    stream.respond(kHeaders, options);
  }
}

function send(stream, frames) {
  respond(stream, {waitForTrailers: true});
  return new Promise((resolve) => {
    stream.write(Buffer.concat(frames), resolve);
  });
}

function endWith(stream, code, message) {
  respond(stream, {waitForTrailers: true});
  stream.on('wantTrailers', () => stream.sendTrailers({'grpc-status': String(code), 'grpc-message': encodeURIComponent(message)}));
  stream.end();
}
