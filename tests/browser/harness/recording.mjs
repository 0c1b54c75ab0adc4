// What the browser's microphone hears: recorded speech and silence, as a WAV file of its own.
import fs from 'node:fs';
import path from 'node:path';

import {kRate, silence, speech} from '../../process/harness.mjs';

// `pieces`: names of prompts, and numbers of milliseconds of silence. Chromium begins anew at its end.
export function recording(pieces, dir, name = 'microphone.wav') {
  const pcm = Buffer.concat(pieces.map((piece) => (typeof piece === 'number' ? silence(piece) : speech(piece))));
  const file = path.join(dir, name);
  fs.writeFileSync(file, Buffer.concat([header(pcm.length), pcm]));
  return file;
}

function header(bytes) {
  const riff = Buffer.alloc(44);
  riff.write('RIFF', 0, 'latin1');
  riff.writeUInt32LE(36 + bytes, 4);
  riff.write('WAVEfmt ', 8, 'latin1');
  riff.writeUInt32LE(16, 16);
  riff.writeUInt16LE(1, 20);  // PCM.
  riff.writeUInt16LE(1, 22);  // Mono.
  riff.writeUInt32LE(kRate, 24);
  riff.writeUInt32LE(kRate * 2, 28);
  riff.writeUInt16LE(2, 32);
  riff.writeUInt16LE(16, 34);
  riff.write('data', 36, 'latin1');
  riff.writeUInt32LE(bytes, 40);
  return riff;
}
