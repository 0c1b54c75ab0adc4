// A client over npm ws, with the audio of voicebridge.binary.v1 as its documentation describes it.
import {createHash} from 'node:crypto';
import WebSocket from 'ws';

import {frames, patience, within} from '../../process/harness.mjs';

const kInputAudio = 1;
const kOutputAudio = 2;

export class WsPeer {
  static async open(url, protocols, options) {
    const socket = new WebSocket(`${url}/v1/realtime`, protocols, {maxPayload: 64 << 20, ...options});
    const peer = new WsPeer(socket);
    await peer.event('voicebridge.session.ready');
    return peer;
  }

  constructor(socket) {
    this.socket = socket;
    this.events = [];
    this.audio = new Map();  // By item: {bytes, hash, nextSample}.
    this.wake = () => {};
    socket.on('message', (data, binary) => this.#received(data, binary));
    socket.on('close', (code, reason) => {
      this.closed = {code, reason: String(reason)};
      this.wake();
    });
    socket.on('error', (error) => {
      this.error = error;
    });
  }

  send(event) {
    this.socket.send(JSON.stringify(event));
  }

  // The next event of that type; what came before it is passed over.
  async event(type) {
    const found = new Promise((resolve, reject) => {
      this.wake = () => {
        const at = this.events.findIndex((event) => event.type === type);
        if (at >= 0) {
          resolve(this.events.splice(0, at + 1).at(-1));
        } else if (this.closed) {
          reject(new Error(`closed (${JSON.stringify(this.closed)}, ${this.error}) before ${type}`));
        }
      };
      this.wake();
    });
    return within(found, 15000 * patience, type, () => this.events.map((event) => event.type).join(' '));
  }

  async say(pcm, {binary}) {
    for (const frame of frames(pcm)) {
      if (binary) {
        this.socket.send(Buffer.concat([Buffer.from([kInputAudio, 0, 4, 0]), frame]));
      } else {
        this.send({type: 'input_audio_buffer.append', audio: frame.toString('base64')});
      }
    }
    this.send({type: 'input_audio_buffer.commit'});
    this.send({type: 'response.create'});
    const {response} = await this.event('response.done');
    const heard = this.audio.get(response.output[0].id);
    return {status: response.status, item_id: response.output[0].id, bytes: heard?.bytes, sha256: heard?.hash.digest('hex'), heard};
  }

  pinged(payload) {
    const pong = new Promise((resolve) => this.socket.once('pong', (data) => resolve(String(data))));
    this.socket.ping(payload);
    return within(pong, 5000 * patience, 'a pong');
  }

  close(code, reason) {
    this.socket.close(code, reason);
    return this.ended();
  }

  async ended() {
    if (this.closed === undefined) {
      await within(new Promise((resolve) => this.socket.once('close', resolve)), 5000 * patience, 'the close');
    }
    return this.closed;
  }

  #received(data, binary) {
    if (binary) {
      const {item_id, pcm, first_sample} = readAudio(data);
      this.#collect(item_id, pcm, {first_sample, by: 'binary'});
    } else {
      const event = JSON.parse(data);
      if (event.type === 'response.output_audio.delta') {
        this.#collect(event.item_id, Buffer.from(event.delta, 'base64'), {by: 'json'});
      }
      this.events.push(event);
    }
    this.wake();
  }

  #collect(item_id, pcm, {first_sample, by}) {
    const audio = this.audio.get(item_id) ?? {bytes: 0, frames: 0, gaps: 0, by, hash: createHash('sha256')};
    this.audio.set(item_id, audio);
    audio.gaps += first_sample === undefined || first_sample === audio.bytes / 2 ? 0 : 1;
    audio.frames += 1;
    audio.bytes += pcm.length;
    audio.hash.update(pcm);
  }
}

function readAudio(data) {
  if (data[0] !== kOutputAudio) {
    throw new Error(`a frame of kind ${data[0]}`);
  }
  const header = data.readUInt16LE(2);
  const responseEnd = 16 + data.readUInt16LE(12);
  const itemEnd = responseEnd + data.readUInt16LE(14);
  return {
    first_sample: data.readUInt32LE(8),
    response_id: data.toString('utf8', 16, responseEnd),
    item_id: data.toString('utf8', responseEnd, itemEnd),
    pcm: data.subarray(header),
  };
}
