// Runs a worklet of the page without a browser: quantum by quantum, by hand.
import {pathToFileURL} from 'node:url';
import path from 'node:path';

import {root} from '../../process/harness.mjs';

const kQuantum = 128;

export async function makeProcessor(file) {
  let made;
  globalThis.AudioWorkletProcessor = class {
    port = {sent: [], postMessage: (message) => made.port.sent.push(message)};
  };
  let Processor;
  globalThis.registerProcessor = (_, processor) => {
    Processor = processor;
  };
  await import(`${pathToFileURL(path.join(root, 'gateway/web', file)).href}?${Math.random()}`);
  made = new Processor();
  return made;
}

export function post(processor, message) {
  processor.port.onmessage({data: message});
}

// What the node puts out in so many quanta.
export function render(processor, quanta) {
  const out = new Float32Array(quanta * kQuantum);
  for (let i = 0; i < quanta; ++i) {
    const quantum = new Float32Array(kQuantum);
    processor.process([], [[quantum]]);
    out.set(quantum, i * kQuantum);
  }
  return out;
}

export function feed(processor, samples) {
  for (let at = 0; at < samples.length; at += kQuantum) {
    processor.process([[samples.subarray(at, at + kQuantum)]], []);
  }
}

export function sentOf(processor, type) {
  return processor.port.sent.filter((message) => message.type === type);
}
