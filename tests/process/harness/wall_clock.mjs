// A wall clock that a test sets, for programs that are started with `env`; see programs/wall_clock.cc.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {binDir} from './process.mjs';

export class WallClock {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-clock-'));
    this.file = path.join(this.dir, 'offset');
    this.jumpTo(0);
  }

  get env() {
    return {LD_PRELOAD: path.join(binDir, 'libwall_clock.so'), WALL_CLOCK: this.file};
  }

  // From now on it is off by that many seconds. Written in place: programs have mapped the file.
  jumpTo(seconds) {
    const offset = Buffer.alloc(8);
    offset.writeBigInt64LE(BigInt(seconds));
    const file = fs.openSync(this.file, fs.constants.O_RDWR | fs.constants.O_CREAT);
    fs.writeSync(file, offset, 0, offset.length, 0);
    fs.closeSync(file);
  }

  stop() {
    fs.rmSync(this.dir, {recursive: true, force: true});
  }
}
