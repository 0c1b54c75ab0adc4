// Plays answers through the audio thread, and knows of each part how much was received and how much was played.
import {kSamplesPerMs} from './protocol.js';

const kFlushMaxMs = 250;  // The audio thread answers within a few milliseconds, unless it is stopped.
// Ten minutes of one answer wait to be played at most; what comes beyond is not heard.
const kQueuedSamplesMax = 10 * 60 * 1000 * kSamplesPerMs;
const kPartsKept = 64;

export class Playback {
  #context;
  #node;
  #on;
  #parts = new Map();  // By key: {itemId, contentIndex, responseId, received, played, complete, ended}.
  #flushes = new Map();
  #flushCount = 0;

  // `on`: {started(), stopped(), level(0..1), overflow()}.
  constructor(context, on) {
    this.#context = context;
    this.#on = on;
    this.#node = new AudioWorkletNode(context, 'playback', {numberOfInputs: 0, numberOfOutputs: 1, outputChannelCount: [1]});
    this.#node.port.onmessage = ({data}) => this.#received(data);
    this.#node.connect(context.destination);
  }

  // How often it ran dry in the middle of an answer.
  dryCount = 0;

  add({itemId, contentIndex, responseId, pcm}) {
    const key = keyOf(itemId, contentIndex);
    const part = this.#parts.get(key) ?? {itemId, contentIndex, responseId, received: 0, played: 0, complete: false, ended: false};
    if (part.received - part.played + pcm.length > kQueuedSamplesMax) {
      this.#on.overflow();
      return;
    }
    this.#parts.set(key, part);
    part.received += pcm.length;
    const samples = pcm.slice();  // The frame's buffer has a header in front.
    this.#node.port.postMessage({type: 'audio', key, pcm: samples}, [samples.buffer]);
    this.#forgetOldest();
  }

  // Nothing more comes of this part.
  complete(itemId, contentIndex) {
    const key = keyOf(itemId, contentIndex);
    const part = this.#parts.get(key);
    if (part && !part.complete) {
      part.complete = true;
      this.#node.port.postMessage({type: 'complete', key});
    }
  }

  completeResponse(responseId) {
    for (const part of [...this.#parts.values()]) {
      if (part.responseId === responseId) {
        this.complete(part.itemId, part.contentIndex);
      }
    }
  }

  // Ids of the items of which something was heard.
  heardItems() {
    return new Set([...this.#parts.values()].filter((part) => part.played > 0).map((part) => part.itemId));
  }

  // Silence now. Resolves with what was under way: in order, with how much of it was heard.
  async flush() {
    const pending = [...this.#parts.entries()].filter(([, part]) => !part.ended);
    await this.#flushed();
    const latencyMs = (this.#context.outputLatency || this.#context.baseLatency || 0) * 1000;
    return pending.map(([, part]) => {
      part.ended = true;
      return heardOf(part, latencyMs);
    });
  }

  stop() {
    this.#node.disconnect();
    this.#node.port.close();
  }

  #flushed() {
    const id = ++this.#flushCount;
    const done = new Promise((resolve) => {
      const timer = setTimeout(() => this.#flushes.get(id)?.(), kFlushMaxMs);
      this.#flushes.set(id, () => {
        clearTimeout(timer);
        this.#flushes.delete(id);
        resolve();
      });
    });
    this.#node.port.postMessage({type: 'flush', id});
    return done;
  }

  #received(message) {
    switch (message.type) {
      case 'progress':
        this.#progress(message);
        this.#on.level(message.level);
        break;
      case 'flushed':
        message.played.forEach((each) => this.#progress(each));
        this.#flushes.get(message.id)?.();
        break;
      case 'dry':
        this.dryCount += 1;
        break;
      default:
        this.#on.level(0);
        this.#on[message.type]();
    }
  }

  #progress({key, played, ended = false}) {
    const part = this.#parts.get(key);
    if (part) {
      part.played = played;
      part.ended ||= ended;
    }
  }

  #forgetOldest() {
    for (const [key, part] of this.#parts) {
      if (this.#parts.size <= kPartsKept) {
        return;
      }
      if (part.ended) {
        this.#parts.delete(key);
      }
    }
  }
}

function keyOf(itemId, contentIndex) {
  return `${itemId}/${contentIndex}`;
}

// What the audio thread has given away is heard only after the latency of the output.
function heardOf({itemId, contentIndex, responseId, received, played, complete}, latencyMs) {
  const playedToEnd = played >= received;
  const playedMs = Math.max(0, played / kSamplesPerMs - latencyMs);
  return {itemId, contentIndex, responseId, receivedMs: received / kSamplesPerMs, playedMs, complete, playedToEnd};
}
