// An HTTP endpoint of the test that keeps its callers waiting for as long as the test wants.
import http from 'node:http';

import {request} from './http.mjs';
import {patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

export class HeldServer {
  // `answer`: of a call {headers, body} and of all calls so far, the {status, headers, body} that it gets; may be a
  // promise. With `now` it is sent even while others are held.
  static async start(answer) {
    const server = new HeldServer(answer);
    await new Promise((resolve) => server.http.listen(0, '127.0.0.1', resolve));
    return server;
  }

  constructor(answer) {
    this.answer = answer;
    this.calls = [];  // With `answered` once all of the answer has been handed to the system.
    this.open = Promise.resolve();
    this.letGo = () => {};
    this.http = http.createServer((call, response) => this.#serve(call, response));
  }

  get url() {
    return `http://127.0.0.1:${this.http.address().port}`;
  }

  // Calls are taken; answers wait for release().
  hold() {
    this.open = new Promise((resolve) => {
      this.letGo = resolve;
    });
  }

  release() {
    this.letGo();
    this.open = Promise.resolve();
  }

  async called(count, fits = () => true) {
    await this.#until(() => this.calls.filter(fits).length >= count, `${count} calls`);
  }

  async answered(count, fits = () => true) {
    await this.#until(() => this.calls.filter((call) => call.answered && fits(call)).length >= count, `${count} answers to be sent`);
  }

  async stop() {
    this.release();
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }

  #until(find, what) {
    return waitUntil(find, {ms: 10000 * patience, what, got: () => JSON.stringify(this.calls.map(({body, answered}) => [body.slice(0, 80), answered]))});
  }

  async #serve(incoming, response) {
    response.on('error', () => {});  // The caller was killed.
    const chunks = [];
    try {
      for await (const chunk of incoming) {
        chunks.push(chunk);
      }
    } catch {
      return;
    }
    const call = {headers: incoming.headers, body: Buffer.concat(chunks).toString(), answered: false};
    this.calls.push(call);
    let answer;
    try {
      answer = await this.answer(call, this.calls);
    } catch {
      response.destroy();  // Whoever was to be asked is gone.
      return;
    }
    const {status = 200, headers = {}, body, now = false} = answer;
    await (now || this.open);
    response.writeHead(status, headers);
    response.end(body, () => {
      call.answered = !response.destroyed;
    });
  }
}

// An answer that another server gives.
export async function forwarded(call, url) {
  const {authorization, 'content-type': type, accept} = call.headers;
  const answer = await request(url, {method: 'POST', headers: {authorization, 'content-type': type, accept}, body: call.body, ms: 10000});
  return {status: answer.status, headers: {'content-type': answer.headers['content-type']}, body: answer.body};
}
