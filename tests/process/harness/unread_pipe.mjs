// A pipe for a program's output that the test reads, until it stops to and the pipe is full.
import {execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

export class UnreadPipe {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-pipe-'));
    const file = path.join(this.dir, 'pipe');
    execFileSync('mkfifo', [file]);
    this.reader = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
    this.filler = fs.openSync(file, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
    this.writer = fs.openSync(file, 'w');  // Of the program, which may have to wait when it writes.
    this.text = '';
  }

  // Of the program, until it has said this.
  async says(pattern) {
    await waitUntil(() => pattern.test(this.read()), {ms: 10000 * patience, what: `${pattern}`, got: () => this.text});
  }

  // What has come by now.
  read() {
    for (let piece; (piece = tryTo(() => fs.readSync(this.reader, kPiece))) > 0;) {
      this.text += kPiece.toString('utf8', 0, piece);
    }
    return this.text;
  }

  // From now on nothing can be written any more.
  fill() {
    for (const size of [kPiece.length, 1]) {
      while (tryTo(() => fs.writeSync(this.filler, kPiece, 0, size)) > 0) {
        // Until there is no room.
      }
    }
  }

  close() {
    [this.reader, this.filler, this.writer].forEach((file) => fs.closeSync(file));
    fs.rmSync(this.dir, {recursive: true, force: true});
  }
}

const kPiece = Buffer.alloc(4096, '.');

// 0 where it would have to wait.
function tryTo(call) {
  try {
    return call();
  } catch (error) {
    if (error.code === 'EAGAIN') {
      return 0;
    }
    throw error;
  }
}
