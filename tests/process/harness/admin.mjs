// The Admin service of a process, as an operator's tool calls it.
import path from 'node:path';

import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

import {patience, root} from './process.mjs';
import {within} from './wait.mjs';

const kProto = protoLoader.loadSync('voicebridge/v1/admin.proto', {
  includeDirs: [path.join(root, 'proto')], keepCase: true, enums: String, longs: Number, defaults: true, oneofs: true,
});
const {Admin} = grpc.loadPackageDefinition(kProto).voicebridge.v1;

export class AdminClient {
  // Connected, so that a call that is measured does not wait for that.
  static async of(process, credentials) {
    const client = new AdminClient(await process.listening('admin'), credentials);
    await within(client.#connected(), 5000 * patience, `a connection to the admin listener of ${process.name}`);
    return client;
  }

  constructor(address, credentials = grpc.credentials.createInsecure()) {
    this.stub = new Admin(address, credentials);
  }

  // As DrainRequest in proto/voicebridge/v1/drain.proto. A promise of the DrainSummary; `begun` is one of the first
  // word of it.
  drain(request) {
    const call = this.stub.drain(request);
    let begin;
    const begun = new Promise((resolve) => {
      begin = resolve;
    });
    const summary = new Promise((resolve, reject) => {
      call.on('data', (progress) => {
        begin(progress);
        if (progress.summary) {
          resolve(progress.summary);
        }
      });
      call.on('error', reject);
      call.on('end', () => reject(new Error('the drain ended without a summary')));
    });
    summary.catch(() => {});  // Whoever waits for it sees it.
    return Object.assign(summary, {begun});
  }

  undrain() {
    return this.#call('undrain');
  }

  status() {
    return this.#call('getStatus');
  }

  close() {
    this.stub.close();
  }

  #connected() {
    return new Promise((resolve, reject) => {
      this.stub.waitForReady(Date.now() + 5000 * patience, (error) => (error ? reject(error) : resolve()));
    });
  }

  #call(method) {
    return new Promise((resolve, reject) => {
      this.stub[method]({}, {deadline: Date.now() + 5000 * patience}, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }
}
