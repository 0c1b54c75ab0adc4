// The wire: audio frames of voicebridge.binary.v1, and audio inside JSON for a server that has chosen `realtime`.
export const kBinaryProtocol = 'voicebridge.binary.v1';
export const kJsonProtocol = 'realtime';
export const kKeyProtocolPrefix = 'openai-insecure-api-key.';

export const kSamplesPerSecond = 24000;
export const kSamplesPerMs = kSamplesPerSecond / 1000;

const kInputAudio = 1;
const kOutputAudio = 2;
const kInputHeaderBytes = 4;
const kOutputFixedBytes = 16;
const kBytesPerSample = 2;
const kLittleEndian = true;

// What stands for input_audio_buffer.append. PCM is little-endian, as is every platform that browsers run on.
export function encodeInputFrame(pcm) {
  const frame = new ArrayBuffer(kInputHeaderBytes + pcm.length * kBytesPerSample);
  const header = new DataView(frame);
  header.setUint8(0, kInputAudio);
  header.setUint16(2, kInputHeaderBytes, kLittleEndian);
  new Int16Array(frame, kInputHeaderBytes).set(pcm);
  return frame;
}

// The audio of a binary message, or undefined for what this version does not know or cannot read.
export function decodeFrame(frame) {
  if (frame.byteLength < kOutputFixedBytes) {
    return undefined;
  }
  const header = new DataView(frame);
  const headerBytes = header.getUint16(2, kLittleEndian);
  const responseBytes = header.getUint16(12, kLittleEndian);
  const itemBytes = header.getUint16(14, kLittleEndian);
  const idsEnd = kOutputFixedBytes + responseBytes + itemBytes;
  const whole = headerBytes % 2 === 0 && idsEnd <= headerBytes && headerBytes <= frame.byteLength;
  if (header.getUint8(0) !== kOutputAudio || !whole) {
    return undefined;
  }
  return {
    outputIndex: header.getUint16(4, kLittleEndian),
    contentIndex: header.getUint16(6, kLittleEndian),
    firstSample: header.getUint32(8, kLittleEndian),
    responseId: textAt(frame, kOutputFixedBytes, responseBytes),
    itemId: textAt(frame, kOutputFixedBytes + responseBytes, itemBytes),
    pcm: new Int16Array(frame, headerBytes, Math.floor((frame.byteLength - headerBytes) / kBytesPerSample)),
  };
}

export function appendEvent(pcm) {
  return {type: 'input_audio_buffer.append', audio: toBase64(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength))};
}

// The same audio as decodeFrame() gives, from a response.output_audio.delta.
export function decodeDelta(event) {
  const bytes = Uint8Array.from(atob(event.delta), (letter) => letter.charCodeAt(0));
  return {
    outputIndex: event.output_index,
    contentIndex: event.content_index,
    responseId: event.response_id,
    itemId: event.item_id,
    pcm: new Int16Array(bytes.buffer, 0, Math.floor(bytes.length / kBytesPerSample)),
  };
}

function textAt(frame, offset, length) {
  return new TextDecoder().decode(new Uint8Array(frame, offset, length));
}

function toBase64(bytes) {
  let letters = '';
  for (const byte of bytes) {
    letters += String.fromCharCode(byte);
  }
  return btoa(letters);
}
