// The microphone: asks for it, says in one word why it cannot be had, and gives frames while it is open.

const kCloseMaxMs = 250;  // The audio thread answers within a few milliseconds, unless it is stopped.

// Why there is no sound, as one word; messages.js has the sentences.
export function failureKind(error) {
  switch (error?.name) {
    case 'NotAllowedError':
      return 'denied';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    case 'SecurityError':
    case 'InsecureContextError':
      return 'insecure';
    case 'NotSupportedError':
      return 'unsupported';
    case 'LoadError':
      return 'unloaded';
    default:
      return 'unknown';
  }
}

export class Microphone {
  #stream;
  #source;
  #node;
  #on;
  #closing;

  // `on`: {frame(pcm), level(0..1), lost()}. `processing`: echo cancellation and its like; off only for measuring.
  static async open({context, processing, on}) {
    const stream = await askForStream(processing);
    try {
      return new Microphone(context, stream, on);
    } catch (error) {
      stopTracks(stream);
      throw error;
    }
  }

  constructor(context, stream, on) {
    this.#stream = stream;
    this.#on = on;
    this.#source = context.createMediaStreamSource(stream);
    this.#node = new AudioWorkletNode(context, 'capture', {numberOfInputs: 1, numberOfOutputs: 0, channelCount: 1, channelCountMode: 'explicit'});
    this.#node.port.onmessage = ({data}) => this.#received(data);
    this.#source.connect(this.#node);
    stream.getAudioTracks()[0].addEventListener('ended', () => on.lost());
  }

  startFrames() {
    this.#node.port.postMessage({type: 'open'});
  }

  // Resolves once the last frame, which is shorter than the others, has been given.
  stopFrames() {
    this.#closing?.resolve();
    const closed = new Promise((resolve) => {
      const timer = setTimeout(resolve, kCloseMaxMs);
      this.#closing = {resolve: () => {
        clearTimeout(timer);
        resolve();
      }};
    });
    this.#node.port.postMessage({type: 'close'});
    return closed;
  }

  // Muted, it gives silence, in which the server hears that the turn has ended.
  setMuted(muted) {
    for (const track of this.#stream.getAudioTracks()) {
      track.enabled = !muted;
    }
  }

  stop() {
    this.#source.disconnect();
    this.#node.port.close();
    stopTracks(this.#stream);
  }

  #received(message) {
    if (message.type === 'closed') {
      this.#closing?.resolve();
      return;
    }
    this.#on.level(message.level);
    if (message.type === 'frame') {
      this.#on.frame(message.pcm);
    }
  }
}

// The question to the user has no deadline: it is theirs.
async function askForStream(processing) {
  if (!globalThis.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
    throw new DOMException('the page is not in a secure context', 'InsecureContextError');
  }
  return navigator.mediaDevices.getUserMedia({
    audio: {channelCount: 1, echoCancellation: processing, noiseSuppression: processing, autoGainControl: processing},
  });
}

function stopTracks(stream) {
  for (const track of stream.getTracks()) {
    track.stop();
  }
}
