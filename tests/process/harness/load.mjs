// Many light sessions that send frames at the pace of speech and count what the echoing upstream returns.
import WebSocket from 'ws';

import {silence} from './audio.mjs';
import {patience} from './process.mjs';
import {pause, waitUntil} from './wait.mjs';

const kFrameMs = 40;
const kDelta = Buffer.from('"response.output_audio.delta"');
const kReady = Buffer.from('"voicebridge.session.ready"');

export class EchoLoad {
  // `count` sessions that are ready.
  static async start(url, count) {
    const load = new EchoLoad();
    for (let i = 0; i < count; ++i) {
      load.sessions.push(new EchoSession(url, i));
    }
    await waitUntil(() => load.sessions.every((session) => session.ready), {
      ms: 20000 * patience, what: `${count} sessions to be ready`,
      got: () => `${load.sessions.filter((session) => session.ready).length} are, ${load.sessions.find((session) => session.failure)?.failure ?? 'none failed'}`,
    });
    return load;
  }

  constructor() {
    this.sessions = [];
  }

  // Each session sends 25 frames of 1920 bytes a second, spread evenly over the 40 ms between them.
  async run(ms) {
    const start = performance.now();
    this.reset();
    const every = kFrameMs / this.sessions.length;
    const total = Math.floor(ms / every);
    for (let sent = 0; sent < total;) {
      const due = Math.min(total, Math.floor((performance.now() - start) / every));
      for (; sent < due; ++sent) {
        this.sessions[sent % this.sessions.length].sendFrame();
      }
      await pause(1);
    }
    return {frames: total, seconds: (performance.now() - start) / 1000};
  }

  reset() {
    for (const session of this.sessions) {
      session.latencies = [];
      session.sentAt = [];
      session.echoes = 0;
    }
  }

  get echoes() {
    return this.sessions.reduce((sum, session) => sum + session.echoes, 0);
  }

  // Every frame came back.
  async settle(frames, ms = 5000) {
    await waitUntil(() => this.echoes >= frames, {ms: ms * patience, what: `${frames} echoes`, got: () => `${this.echoes}`});
  }

  latency(quantile) {
    const all = this.sessions.flatMap((session) => session.latencies).sort((a, b) => a - b);
    return all[Math.min(all.length - 1, Math.floor(all.length * quantile))];
  }

  // Several short runs: the median of their p99, so that one hiccup of the machine does not decide, and the longest
  // that any frame was away.
  async measure(runs, ms) {
    const p99 = [];
    let longest = 0;
    for (let i = 0; i < runs; ++i) {
      const {frames} = await this.run(ms);
      await this.settle(frames);
      p99.push(this.latency(0.99));
      longest = Math.max(longest, this.latency(1));
    }
    return {p99: median(p99), longest};
  }

  stop() {
    for (const session of this.sessions) {
      session.socket.terminate();
    }
  }
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

class EchoSession {
  constructor(url) {
    this.ready = false;
    this.latencies = [];
    this.sentAt = [];
    this.echoes = 0;
    this.append = JSON.stringify({type: 'input_audio_buffer.append', audio: silence(kFrameMs).toString('base64')});
    this.socket = new WebSocket(new URL('/v1/realtime', url), {perMessageDeflate: false});
    this.socket.on('message', (data) => this.#received(data));
    this.socket.on('error', (error) => {
      this.failure = error.message;
    });
    this.socket.on('close', (code) => {
      this.failure ??= `closed with ${code}`;
    });
  }

  sendFrame() {
    this.sentAt.push(performance.now());
    this.socket.send(this.append);
  }

  // Echoes come in order, so the first that is out answers the first that was sent.
  #received(data) {
    const head = data.subarray(0, 256);
    if (head.includes(kDelta)) {
      this.echoes += 1;
      if (this.sentAt.length > 0) {
        this.latencies.push(performance.now() - this.sentAt.shift());
      }
    } else if (head.includes(kReady)) {
      this.ready = true;
    }
  }
}
