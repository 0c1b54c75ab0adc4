// Audio messages of the subprotocol voicebridge.binary.v1; the layout is documented in the README.
export const kBinarySubprotocol = 'voicebridge.binary.v1';
const kInputAudio = 1;
const kOutputAudio = 2;
const kInputHeaderBytes = 4;
const kOutputHeaderBytes = 16;

export function encodeAudioFrame(pcm) {
  const header = Buffer.alloc(kInputHeaderBytes);
  header.writeUInt8(kInputAudio, 0);
  header.writeUInt16LE(kInputHeaderBytes, 2);
  return Buffer.concat([header, pcm]);
}

export function decodeAudioFrame(message) {
  const kind = message.readUInt8(0);
  if (kind !== kOutputAudio) {
    throw new Error(`a binary message of kind ${kind}`);
  }
  const idsAt = kOutputHeaderBytes + message.readUInt16LE(12);
  return {
    output_index: message.readUInt16LE(4),
    content_index: message.readUInt16LE(6),
    first_sample: message.readUInt32LE(8),
    response_id: message.toString('utf8', kOutputHeaderBytes, idsAt),
    item_id: message.toString('utf8', idsAt, idsAt + message.readUInt16LE(14)),
    pcm: message.subarray(message.readUInt16LE(2)),
  };
}
