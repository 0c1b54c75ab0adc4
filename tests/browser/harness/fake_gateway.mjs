// A gateway of the test's own: it serves the page with the real one's security policy, opens sessions of any
// profile, and then says exactly what the test wants it to say.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

import {WebSocketServer} from 'ws';

import {root, waitUntil} from '../../process/harness.mjs';
import {webRoot} from './page.mjs';

const kTypes = {'.html': 'text/html; charset=utf-8', '.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml'};
const kWait = 10000;

// As the gateway's source has it, so that the two do not drift apart.
export function securityPolicy() {
  const source = fs.readFileSync(path.join(root, 'gateway/http/static_files.cc'), 'utf8');
  const [, literals] = /kContentSecurityPolicy =([^;]*?"[^]*?);\n\n/.exec(source);
  return [...literals.matchAll(/"([^"]*)"/g)].map(([, text]) => text).join('');
}

export class FakeGateway {
  profile = 'interview';
  received = [];   // Events of the page, in order.
  requests = [];   // {method, path, authorization} of what is not a file.
  // What is asked for a report: {status, body}, or a function that is called each time.
  report = {status: 404, body: {}};
  retry = {status: 202, body: {}};
  refusal = undefined;  // {status, retryAfter}: takes no conversations, and says so.
  upgrades = [];        // When conversations were asked for.
  sessions = 0;
  #server = http.createServer((request, response) => this.#answer(request, response));
  #sockets = new WebSocketServer({server: this.#server, path: '/v1/realtime', verifyClient: (_, decide) => this.#admit(decide)});
  #socket;
  #policy = securityPolicy();

  static async start() {
    const gateway = new FakeGateway();
    gateway.#sockets.on('connection', (socket) => gateway.#open(socket));
    await new Promise((resolve) => {
      gateway.#server.listen(0, '127.0.0.1', resolve);
    });
    return gateway;
  }

  get httpUrl() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  send(...events) {
    events.forEach((event) => this.#socket.send(JSON.stringify(event)));
  }

  // A whole spoken answer, with so much of a tone.
  speak(responseId, transcript, ms = 300) {
    const itemId = `item_${responseId}`;
    const pcm = Buffer.alloc(48 * ms);
    for (let i = 0; i < pcm.length / 2; ++i) {
      pcm.writeInt16LE(Math.round(6000 * Math.sin(i / 9)), i * 2);
    }
    const part = {response_id: responseId, item_id: itemId, output_index: 0, content_index: 0};
    const item = {id: itemId, type: 'message', role: 'assistant'};
    const said = {...item, content: [{type: 'output_audio', transcript}]};
    this.send(
        {type: 'response.created', response: {id: responseId}},
        {type: 'response.output_item.added', response_id: responseId, item},
        {type: 'conversation.item.added', previous_item_id: null, item},
        {type: 'response.output_audio_transcript.delta', ...part, delta: transcript},
        {type: 'response.output_audio.delta', ...part, delta: pcm.toString('base64')},
        {type: 'response.output_audio.done', ...part},
        {type: 'response.output_audio_transcript.done', ...part, transcript},
        {type: 'conversation.item.done', previous_item_id: null, item: said},
        {type: 'response.done', response: {id: responseId, status: 'completed', output: [said]}});
  }

  // As at the end of a drain.
  endSession(reason, code) {
    this.send({type: 'voicebridge.session.ended', reason, message: 'It is over.', resumable: false});
    this.#socket.close(code);
  }

  // As a broken network does.
  drop() {
    this.#socket.terminate();
  }

  get isConnected() {
    return this.#socket?.readyState === 1;
  }

  sentOf(type) {
    return this.received.filter((event) => event.type === type);
  }

  receives(type, count = 1) {
    return waitUntil(() => this.sentOf(type).length >= count && this.sentOf(type).at(-1), {
      ms: kWait, what: `${count} ${type}`, got: () => this.received.map((event) => event.type).join(' '),
    });
  }

  async stop() {
    this.#sockets.clients.forEach((socket) => socket.terminate());
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #admit(decide) {
    this.upgrades.push(performance.now());
    const {status, retryAfter} = this.refusal ?? {};
    decide(!status, status, 'refused', retryAfter === undefined ? {} : {'Retry-After': retryAfter});
  }

  #open(socket) {
    this.#socket = socket;
    const id = `sess_${++this.sessions}`;
    socket.on('message', (data, isBinary) => {
      if (!isBinary) {
        const event = JSON.parse(data);
        this.received.push(event);
        this.#react(event, socket);
      }
    });
    const session = {id, type: 'realtime', audio: {input: {turn_detection: null}}};
    this.send({type: 'session.created', session}, {type: 'voicebridge.session.ready', session_id: id, profile: this.profile, access_token: `token-of-${id}`});
  }

  #react(event, socket) {
    if (event.type === 'session.update') {
      socket.send(JSON.stringify({type: 'session.updated', session: event.session}));
    }
  }

  #answer(request, response) {
    const {pathname} = new URL(request.url, this.httpUrl);
    if (pathname === '/v1/realtime') {
      const {status = 426, retryAfter} = this.refusal ?? {};
      response.writeHead(status, retryAfter === undefined ? {} : {'Retry-After': retryAfter}).end();
      return;
    }
    if (pathname.startsWith('/v1/')) {
      this.requests.push({method: request.method, path: pathname, authorization: request.headers.authorization});
      const made = pathname.endsWith('/retry') ? this.retry : this.report;
      const {status, body} = typeof made === 'function' ? made(pathname) : made;
      response.writeHead(status, {'Content-Type': 'application/json'}).end(JSON.stringify(body));
      return;
    }
    const file = path.join(webRoot, pathname === '/' ? 'index.html' : pathname);
    if (!fs.existsSync(file)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': kTypes[path.extname(file)], 'Content-Security-Policy': this.#policy, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-cache',
    }).end(fs.readFileSync(file));
  }
}
