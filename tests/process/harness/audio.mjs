// Audio for tests: recorded human speech (Debian's asterisk-core-sounds-en-wav), tones, digests, WAV files.
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

export const kRate = 24000;
export const kBytesPerMs = (kRate * 2) / 1000;
const kSoundDirs = ['/usr/share/asterisk/sounds/en_US_f_Allison', '/usr/share/asterisk/sounds/en'];

export function soundDir() {
  const found = kSoundDirs.find((dir) => fs.existsSync(dir));
  if (!found) {
    throw new Error('no recorded speech: install asterisk-core-sounds-en-wav (deploy/install-deps tests)');
  }
  return found;
}

export function soundFile(name) {
  return path.join(soundDir(), `${name}.wav`);
}

// Names of all prompts that last between the two bounds, in a fixed order.
export function soundNames({msMin = 500, msMax = 3000} = {}) {
  const bytes = (ms) => ms * 16;  // 8 kHz, 16 bit.
  return fs.readdirSync(soundDir()).filter((file) => file.endsWith('.wav')).sort()
      .filter((file) => {
        const {size} = fs.statSync(path.join(soundDir(), file));
        return size >= bytes(msMin) && size <= bytes(msMax);
      })
      .map((file) => file.slice(0, -'.wav'.length));
}

// A prompt as 24 kHz mono PCM16. -D: without dither, so that the same prompt gives the same bytes.
export function speech(name) {
  return execFileSync('sox', ['-D', soundFile(name), '-r', String(kRate), '-c', '1', '-b', '16', '-e', 'signed', '-t', 'raw', '-'],
                      {maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'ignore']});
}

export function silence(ms) {
  return Buffer.alloc(Math.round(ms * kBytesPerMs));
}

export function tone(ms, {hz = 440, amplitude = 0.5} = {}) {
  const samples = Math.round((ms * kRate) / 1000);
  const pcm = Buffer.alloc(samples * 2);
  for (let i = 0; i < samples; ++i) {
    pcm.writeInt16LE(Math.round(32767 * amplitude * Math.sin((2 * Math.PI * hz * i) / kRate)), i * 2);
  }
  return pcm;
}

// The same prompt made unlike all others: a few samples of a counter in front, inaudible and unmistakable.
export function marked(pcm, ...numbers) {
  const mark = Buffer.alloc(numbers.length * 2);
  numbers.forEach((number, i) => mark.writeInt16LE(number % 32768, i * 2));
  return Buffer.concat([mark, pcm]);
}

export function* frames(pcm, ms = 40) {
  const size = ms * kBytesPerMs;
  for (let at = 0; at < pcm.length; at += size) {
    yield pcm.subarray(at, Math.min(pcm.length, at + size));
  }
}

export function sha256(...chunks) {
  const hash = createHash('sha256');
  for (const chunk of chunks) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}

// The format and the samples of a RIFF file.
export function readWav(file) {
  const data = fs.readFileSync(file);
  if (data.toString('latin1', 0, 4) !== 'RIFF' || data.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error(`${file} is not a WAV file`);
  }
  let format;
  for (let at = 12; at + 8 <= data.length;) {
    const id = data.toString('latin1', at, at + 4);
    const size = data.readUInt32LE(at + 4);
    if (id === 'fmt ') {
      format = {channels: data.readUInt16LE(at + 10), rate: data.readUInt32LE(at + 12), bits: data.readUInt16LE(at + 22)};
    } else if (id === 'data') {
      return {...format, pcm: data.subarray(at + 8, at + 8 + size)};
    }
    at += 8 + size + (size % 2);
  }
  throw new Error(`${file} has no data chunk`);
}
