// Runs on the audio thread: cuts what the microphone gives into frames of 40 ms, as PCM16, and measures them.
// Samples leave this thread only while it is open; the level always does.
const kFrameSamples = 960;  // 40 ms at 24 kHz.

class CaptureProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.open = false;
    this.begin();
    this.port.onmessage = ({data}) => this.command(data);
  }

  begin() {
    this.frame = new Int16Array(kFrameSamples);
    this.filled = 0;
    this.energy = 0;
  }

  command({type}) {
    if (type === 'open') {
      this.begin();
      this.open = true;
    } else if (type === 'close') {
      this.finishFrame();
      this.open = false;
      this.port.postMessage({type: 'closed'});
    }
  }

  process([input]) {
    const samples = input[0];
    if (samples) {
      for (const sample of samples) {
        this.take(sample);
      }
    }
    return true;
  }

  take(sample) {
    const bounded = Math.max(-1, Math.min(1, sample));
    this.frame[this.filled] = Math.round(bounded < 0 ? bounded * 32768 : bounded * 32767);
    this.energy += bounded * bounded;
    this.filled += 1;
    if (this.filled === kFrameSamples) {
      this.finishFrame();
    }
  }

  finishFrame() {
    const level = this.filled === 0 ? 0 : Math.sqrt(this.energy / this.filled);
    if (this.open && this.filled > 0) {
      const pcm = this.frame.slice(0, this.filled);
      this.port.postMessage({type: 'frame', pcm, level}, [pcm.buffer]);
    } else {
      this.port.postMessage({type: 'level', level});
    }
    this.filled = 0;
    this.energy = 0;
  }
}

registerProcessor('capture', CaptureProcessor);
