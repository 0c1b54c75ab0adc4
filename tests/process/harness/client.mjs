// A Realtime client over a plain WebSocket: sends events as they are, keeps what it receives.
import {createHash} from 'node:crypto';
import WebSocket from 'ws';

import {frames, kBytesPerMs} from './audio.mjs';
import {decodeAudioFrame, encodeAudioFrame, kBinarySubprotocol} from './binary.mjs';
import {patience} from './process.mjs';
import {pause, within} from './wait.mjs';

const kWait = 10000;

export class RealtimeClient {
  constructor(socket) {
    this.socket = socket;
    this.events = [];        // Everything received; audio deltas without their audio.
    this.audio = new Map();  // By item: {bytes, chunks, response_id}; the digest via audioOf().
    this.closed = undefined;
    this.waiters = new Set();
    socket.on('message', (data, binary) => this.#received(data, binary));
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', (code, reason) => {
      this.closed = {code, reason: String(reason), at: performance.now()};
      this.#wake();
    });
  }

  // Connects and waits until the session is ready. `url` is the gateway's base URL.
  static async connect(url, options = {}) {
    const client = RealtimeClient.dial(url, options);
    await client.opened();
    await client.ready(options.ms);
    return client;
  }

  static dial(url, {key, profile, model, subprotocolKey, protocols = [], headers = {}, path = '/v1/realtime', binary = false, ...options} = {}) {
    const target = new URL(path, url);
    if (profile !== undefined) {
      target.searchParams.set('profile', profile);
    }
    if (model !== undefined) {
      target.searchParams.set('model', model);
    }
    const offered = binary ? [kBinarySubprotocol, ...protocols] : [...protocols];
    if (subprotocolKey !== undefined) {
      offered.push('realtime', `openai-insecure-api-key.${subprotocolKey}`);
    }
    const authorization = key === undefined ? {} : {Authorization: `Bearer ${key}`};
    return new RealtimeClient(new WebSocket(target, offered, {
      perMessageDeflate: false, headers: {...authorization, ...headers}, handshakeTimeout: kWait * patience, maxPayload: 64 << 20, ...options,
    }));
  }

  // The upgrade's outcome: resolves on 101, rejects with the HTTP status otherwise.
  async opened() {
    if (this.socket.readyState === WebSocket.OPEN) {
      return;
    }
    const outcome = new Promise((resolve, reject) => {
      this.socket.once('open', resolve);
      this.socket.once('unexpected-response', (_, response) => {
        response.resume();
        reject(Object.assign(new Error(`upgrade refused with ${response.statusCode}`), {status: response.statusCode, headers: response.headers}));
        this.socket.terminate();
      });
      this.socket.once('error', reject);
    });
    await within(outcome, kWait * patience, 'the upgrade');
  }

  async ready(ms = kWait) {
    this.session = (await this.waitFor('session.created', undefined, ms)).session;
    this.about = await this.waitFor('voicebridge.session.ready', undefined, ms);
    return this.about;
  }

  send(event) {
    this.socket.send(typeof event === 'string' ? event : JSON.stringify(event));
  }

  // The first event of that type (or type prefix ending in `*`) that no earlier wait has taken.
  async waitFor(type, predicate = () => true, ms = kWait) {
    const fits = (event) => !event.taken && matches(event.type, type) && predicate(event);
    const find = () => this.events.find(fits);
    const event = await this.#until(find, ms, `the event ${type}`);
    event.taken = true;
    return event;
  }

  async waitForClose(ms = kWait) {
    return this.#until(() => this.closed, ms, 'the close', {evenWhenClosed: true});
  }

  // An error event; optionally the one that answers this client event.
  waitForError(event_id, ms) {
    return this.waitFor('error', (event) => event_id === undefined || event.error?.event_id === event_id, ms);
  }

  // One append, in the framing that the connection speaks.
  sendFrame(frame) {
    if (this.socket.protocol === kBinarySubprotocol) {
      this.socket.send(encodeAudioFrame(frame));
    } else {
      this.send({type: 'input_audio_buffer.append', audio: frame.toString('base64')});
    }
  }

  sendAudio(pcm, frameMs = 40) {
    for (const frame of frames(pcm, frameMs)) {
      this.sendFrame(frame);
    }
  }

  // At the speed of speech, as a microphone would send it.
  async streamAudio(pcm, {frameMs = 40, speed = 1} = {}) {
    const start = performance.now();
    let sent = 0;
    for (const frame of frames(pcm, frameMs)) {
      this.sendFrame(frame);
      sent += frame.length;
      const due = start + sent / kBytesPerMs / speed;
      await pause(Math.max(0, due - performance.now()));
    }
  }

  // A push-to-talk turn; resolves once it is answered.
  async sendTurn(pcm, {frameMs = 40, response, ms = 20000} = {}) {
    this.sendAudio(pcm, frameMs);
    this.send({type: 'input_audio_buffer.commit'});
    return this.#answered({response, ms});
  }

  async sendText(text, {response, ms = 20000} = {}) {
    this.send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text}]}});
    return this.#answered({response, ms});
  }

  async #answered({response, ms}) {
    this.send(response ? {type: 'response.create', response} : {type: 'response.create'});
    return this.turnDone(ms);
  }

  // What the next finished response consisted of.
  async turnDone(ms = 20000) {
    const done = await this.waitFor('response.done', undefined, ms);
    const items = done.response.output.map((item) => ({...item, audio: this.audioOf(item.id)}));
    return {response: done.response, items, audio: items.find((item) => item.audio.bytes > 0)?.audio, text: items.map(textOf).join(' ')};
  }

  audioOf(itemId) {
    const audio = this.audio.get(itemId);
    return audio ? {itemId, bytes: audio.bytes, deltas: audio.deltas, deltaBytesMax: audio.deltaBytesMax, sha256: audio.hash.copy().digest('hex')}
                 : {itemId, bytes: 0, deltas: 0, deltaBytesMax: 0, sha256: undefined};
  }

  typesSeen() {
    return this.events.map((event) => event.type);
  }

  close(code = 1000) {
    this.socket.close(code);
    return this.waitForClose(5000);
  }

  // Stops reading from the socket, as a browser whose page hangs.
  stopReading() {
    this.socket.pause();
  }

  startReading() {
    this.socket.resume();
  }

  terminate() {
    this.socket.terminate();
  }

  #received(data, binary) {
    if (binary) {
      const {pcm, ...audio} = decodeAudioFrame(data);
      const event = {type: '(binary audio)', bytes: pcm.length, ...audio, at: performance.now()};
      this.#collectAudio(event, pcm);
      this.events.push(event);
      this.#wake();
      return;
    }
    const event = JSON.parse(data.toString());
    event.at = performance.now();
    if (event.type === 'response.output_audio.delta') {
      const pcm = Buffer.from(event.delta, 'base64');
      event.delta = `(${pcm.length} bytes)`;
      this.#collectAudio(event, pcm);
    }
    this.events.push(event);
    this.#wake();
  }

  #collectAudio(event, pcm) {
    const audio = this.audio.get(event.item_id) ?? {bytes: 0, deltas: 0, deltaBytesMax: 0, hash: createHash('sha256'), firstAt: event.at};
    this.audio.set(event.item_id, audio);
    audio.bytes += pcm.length;
    audio.deltas += 1;
    audio.deltaBytesMax = Math.max(audio.deltaBytesMax, pcm.length);
    audio.hash.update(pcm);
  }

  async #until(find, ms, what, {evenWhenClosed = false} = {}) {
    const wait = new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found) {
          this.waiters.delete(look);
          resolve(found);
        } else if (this.closed && !evenWhenClosed) {
          this.waiters.delete(look);
          reject(new Error(`the connection was closed (${JSON.stringify(this.closed)}) while waiting for ${what}; got: ${this.#summary()}`));
        }
      };
      this.waiters.add(look);
      look();
    });
    return within(wait, ms * patience, what, () => this.#summary());
  }

  // The last events in short, runs of the same type folded.
  #summary() {
    const runs = [];
    for (const event of this.events) {
      const word = event.type === 'error' ? `error(${event.error?.code}: ${event.error?.message})` : event.type;
      const last = runs.at(-1);
      if (last?.word === word) {
        last.count += 1;
      } else {
        runs.push({word, count: 1});
      }
    }
    const shown = runs.slice(-25).map(({word, count}) => (count > 1 ? `${word} x${count}` : word));
    return shown.join(', ') || 'nothing';
  }

  #wake() {
    for (const look of [...this.waiters]) {
      look();
    }
  }
}

function matches(type, wanted) {
  return wanted.endsWith('*') ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}

function textOf(item) {
  return (item.content ?? []).map((part) => part.transcript ?? part.text ?? '').join('');
}
