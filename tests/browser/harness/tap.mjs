// Listens in on what the page gives to its loudspeaker: a second audio node beside the destination, sample by
// sample, whatever the page itself believes to have played.
import fs from 'node:fs';
import path from 'node:path';

const kTapFile = 'tap-worklet.js';
const kTapWorklet = `
  class Tap extends AudioWorkletProcessor {
    process([input]) {
      const samples = input[0] ?? new Float32Array(128);
      this.port.postMessage({frame: currentFrame, samples: samples.slice()});
      return true;
    }
  }
  registerProcessor('tap', Tap);`;

// Runs in the page, before its scripts.
function listenIn(url) {
  const {connect} = AudioNode.prototype;
  const {addModule} = AudioWorklet.prototype;
  window.modulesLoaded = 0;
  AudioWorklet.prototype.addModule = async function addBesideTap(...module) {
    await Promise.all([addModule.apply(this, module), addModule.call(this, url)]);
    window.modulesLoaded += 1;
  };
  window.tapped = [];  // Quanta that are not silent, with their position.
  function tap(node) {
    const ear = new AudioWorkletNode(node.context, 'tap', {numberOfOutputs: 0});
    ear.port.onmessage = ({data}) => {
      window.tapFrame = data.frame;
      if (data.samples.some((sample) => sample !== 0)) {
        window.tapped.push(data);
      }
    };
    connect.call(node, ear);
  }
  AudioNode.prototype.connect = function connectAndListen(target, ...more) {
    if (target instanceof AudioDestinationNode) {
      tap(this);
    }
    return connect.call(this, target, ...more);
  };
}

// The page's files and the tap's, which its content security policy lets in from nowhere else.
export function makeWebRoot(source, target) {
  fs.rmSync(target, {recursive: true, force: true});
  fs.cpSync(source, target, {recursive: true});
  fs.writeFileSync(path.join(target, kTapFile), kTapWorklet);
  return target;
}

export function installTap(page) {
  return page.addInitScript(listenIn, `/${kTapFile}`);
}

// What was heard since the last call, from the first sample that is not silence to the last: PCM16, and where
// the longest run of silent quanta inside it lies.
export async function takeHeard(page) {
  const quanta = await page.evaluate(() => window.tapped.splice(0).map(({frame, samples}) => ({frame, samples: Array.from(samples)})));
  if (quanta.length === 0) {
    return {pcm: new Int16Array(0)};
  }
  const first = quanta[0].frame;
  const pcm = new Int16Array(quanta.at(-1).frame - first + quanta.at(-1).samples.length);
  for (const {frame, samples} of quanta) {
    samples.forEach((sample, i) => {
      pcm[frame - first + i] = Math.round(sample * 32768);
    });
  }
  return {pcm: trimmed(pcm)};
}

export function trimmed(pcm) {
  const loud = (sample) => sample !== 0;
  return pcm.subarray(pcm.findIndex(loud), pcm.findLastIndex(loud) + 1);
}
