// A worker that says of itself, and answers attaches, as a test wants.
import path from 'node:path';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {root} from './process.mjs';

const kOptions = {includeDirs: [path.join(root, 'proto')], keepCase: true, enums: String, longs: Number};
const kService = protoLoader.loadSync('voicebridge/v1/bridge.proto', kOptions)['voicebridge.v1.BridgeWorker'];
const kInterval = 200;  // Well within what a gateway lets pass.

export class ScriptedWorker {
  #server = new grpc.Server();
  #watchers = new Set();
  #number = 0;
  #repeating;
  #status = {state: 'SERVING', sessions: 0, capacity: 100, start_id: 'start_1'};

  // `answer(call, attach)`: what it makes of an attach; refusing(), hanging, attachingOnly and serving are below.
  // `sessions`: how many of its 100 places it says are taken.
  static async start({answer, sessions = 0}) {
    const worker = new ScriptedWorker();
    worker.#status.sessions = sessions;
    worker.attaches = [];  // As they came.
    worker.#server.addService(kService, {
      Converse: (call) => worker.#converse(call, answer),
      WatchStatus: (call) => worker.#watch(call),
    });
    const port = await new Promise((resolve, reject) => {
      worker.#server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    worker.address = `127.0.0.1:${port}`;
    worker.#repeating = setInterval(() => worker.say({}), kInterval);
    return worker;
  }

  // A status with the next number, now and from now on.
  say(change) {
    Object.assign(this.#status, change);
    this.#number += 1;
    this.#watchers.forEach((call) => this.#push(call));
  }

  // Streams stay open, and nothing more is said.
  fallSilent() {
    clearInterval(this.#repeating);
  }

  stop() {
    this.fallSilent();
    this.#server.forceShutdown();
  }

  #push(call) {
    call.write({...this.#status, number: this.#number});
  }

  #watch(call) {
    this.#watchers.add(call);
    call.on('cancelled', () => this.#watchers.delete(call));
    this.#push(call);
  }

  #converse(call, answer) {
    call.on('error', () => {});
    call.once('data', ({attach}) => {
      this.attaches.push(attach);
      answer(call, attach);
    });
  }
}

export const refusing = (code, details) => (call) => call.emit('error', {code: grpc.status[code], details});
export const hanging = () => {};
export const attachingOnly = (call, {epoch}) => call.write({attaching: {epoch}});
export const serving = (call, {epoch}) => call.write({ready: {epoch, session_json: '{"type":"realtime"}'}});
