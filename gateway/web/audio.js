// The page's sound: one context for its lifetime, prepared before it is needed, so that a start asks for nothing
// but the microphone. Between conversations it rests and the microphone is closed.
import {Microphone} from './microphone.js';
import {Playback} from './playback.js';
import {kSamplesPerSecond} from './protocol.js';

const kWorklets = ['capture-worklet.js', 'playback-worklet.js'];

export class Audio {
  #context;
  #loading;
  #processing;

  // `processing`: echo cancellation and its like, off only for measuring.
  constructor({processing}) {
    this.#processing = processing;
    this.#prepare().catch(() => {});  // open() tries again, and tells.
  }

  // To be called in answer to the user's gesture. Throws what Microphone.open() throws, LoadError, or
  // NotSupportedError for a browser that cannot keep the sample rate.
  async open({microphone, playback}) {
    const resumed = this.#prepared().resume();
    await this.#prepare();
    await resumed;
    const ear = await Microphone.open({context: this.#context, processing: this.#processing, on: microphone});
    return new OpenAudio(this.#context, ear, new Playback(this.#context, playback));
  }

  rest() {
    this.#context?.suspend();
  }

  #prepared() {
    this.#context ??= new AudioContext({sampleRate: kSamplesPerSecond, latencyHint: 'interactive'});
    if (this.#context.sampleRate !== kSamplesPerSecond) {
      throw new DOMException('the browser keeps another sample rate', 'NotSupportedError');
    }
    return this.#context;
  }

  async #prepare() {
    const {audioWorklet} = this.#prepared();
    if (!audioWorklet) {
      throw new DOMException('the page is not in a secure context', 'SecurityError');
    }
    this.#loading ??= Promise.all(kWorklets.map((name) => audioWorklet.addModule(new URL(name, import.meta.url))));
    try {
      await this.#loading;
    } catch (error) {
      this.#loading = undefined;
      throw new LoadError(error);
    }
  }
}

// A part of the page did not come from the server.
export class LoadError extends Error {
  name = 'LoadError';

  constructor(cause) {
    super('a part of the page could not be loaded', {cause});
  }
}

// Microphone and loudspeaker, while a conversation is wanted.
class OpenAudio {
  constructor(context, microphone, playback) {
    this.context = context;
    this.microphone = microphone;
    this.playback = playback;
  }

  // The system may have stopped the sound meanwhile, for a call for instance.
  wake() {
    if (this.context.state !== 'running') {
      this.context.resume();
    }
  }

  // No more is to be heard from the user; the rest may still be played.
  closeMicrophone() {
    this.microphone.stop();
  }

  close() {
    this.microphone.stop();
    this.playback.stop();
  }
}
