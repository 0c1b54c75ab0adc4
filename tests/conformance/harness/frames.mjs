// RFC 6455 frames by hand: what a client may and may not send, and a strict reader of what a server sends.
import {strict as assert} from 'node:assert';

export const kContinuation = 0;
export const kText = 1;
export const kBinary = 2;
export const kClose = 8;
export const kPing = 9;
export const kPong = 10;

const kMask = Buffer.from([0x9a, 0x01, 0xfe, 0x5c]);
const kControlMax = 125;

// `width`: of the length field in bits (7, 16 or 64), when it shall not be the shortest. `length`: another
// one than the payload's. `mask`: undefined leaves the frame unmasked.
export function frame(opcode, payload = '', {final = true, rsv = 0, mask = kMask, width, length} = {}) {
  const data = Buffer.from(payload);
  const head = Buffer.from([(final ? 0x80 : 0) | (rsv << 4) | opcode]);
  const size = lengthField(length ?? data.length, width, mask !== null);
  return mask === null ? Buffer.concat([head, size, data]) : Buffer.concat([head, size, mask, masked(data, mask)]);
}

export const text = (payload, options) => frame(kText, payload, options);
export const ping = (payload, options) => frame(kPing, payload, options);
export const pong = (payload, options) => frame(kPong, payload, options);
export const unfinished = (opcode, payload) => frame(opcode, payload, {final: false});

export function close(code, reason = '', options) {
  return frame(kClose, closePayload(code, reason), options);
}

export function closePayload(code, reason = '') {
  const number = Buffer.alloc(2);
  number.writeUInt16BE(code);
  return Buffer.concat([number, Buffer.from(reason)]);
}

// One message in pieces of the given payloads.
export function fragments(opcode, payloads) {
  return payloads.map((payload, i) => frame(i === 0 ? opcode : kContinuation, payload, {final: i === payloads.length - 1}));
}

function lengthField(length, width = shortestWidth(length), isMasked) {
  const bit = isMasked ? 0x80 : 0;
  if (width === 7) {
    return Buffer.from([bit | length]);
  }
  const field = Buffer.alloc(width === 16 ? 3 : 9);
  field[0] = bit | (width === 16 ? 126 : 127);
  if (width === 16) {
    field.writeUInt16BE(length, 1);
  } else {
    field.writeBigUInt64BE(BigInt(length), 1);
  }
  return field;
}

function shortestWidth(length) {
  return length <= kControlMax ? 7 : length < 1 << 16 ? 16 : 64;
}

function masked(data, mask) {
  const result = Buffer.allocUnsafe(data.length);
  for (let i = 0; i < data.length; ++i) {
    result[i] = data[i] ^ mask[i & 3];
  }
  return result;
}

// The frame at the beginning of `bytes`, or undefined while it is not complete. Asserts what a server must keep to.
export function parseServerFrame(bytes) {
  if (bytes.length < 2) {
    return undefined;
  }
  const opcode = bytes[0] & 0x0f;
  assert.equal(bytes[0] & 0x70, 0, 'a server that agreed to no extension sets no RSV bit (section 5.2)');
  assert.ok([kContinuation, kText, kBinary, kClose, kPing, kPong].includes(opcode), `opcode ${opcode} (section 5.2)`);
  assert.equal(bytes[1] & 0x80, 0, 'a server never masks (section 5.1)');
  const short = bytes[1] & 0x7f;
  const head = short === 126 ? 4 : short === 127 ? 10 : 2;
  if (bytes.length < head) {
    return undefined;
  }
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  assert.equal(head, {7: 2, 16: 4, 64: 10}[shortestWidth(length)], `length ${length} in its shortest form (section 5.2)`);
  const final = (bytes[0] & 0x80) !== 0;
  assert.ok(opcode < kClose || (final && length <= kControlMax), 'control frames are short and whole (section 5.5)');
  if (bytes.length < head + length) {
    return undefined;
  }
  return {opcode, final, payload: bytes.subarray(head, head + length), bytes: head + length};
}
