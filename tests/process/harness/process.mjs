// One started program: its output, its listeners, its end, and what /proc says about it.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import {fileURLToPath} from 'node:url';

import {waitUntil, within} from './wait.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
export const binDir = path.resolve(root, process.env.VOICEBRIDGE_BIN_DIR ?? 'build/release/bin');
export const full = process.env.VOICEBRIDGE_FULL === '1';
// Sanitizers slow everything down; figures of time and memory mean nothing under them.
export const sanitized = /asan|tsan/.test(binDir);
export const patience = sanitized ? 4 : 1;

const kLinesKept = 20000;
const kSanitizerReport = /AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:/;
// VOICEBRIDGE_<FLAG> would set flags of the programs.
const kCleanEnvironment = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('VOICEBRIDGE_') && name !== 'OPENAI_API_KEY'));
const alive = new Set();

// The last resort: nothing that a test started outlives the test's process.
process.on('exit', () => {
  for (const child of alive) {
    child.kill('SIGKILL');
  }
});

export class ManagedProcess {
  // `options`: of spawn, cwd, uid and gid above all.
  constructor(name, program, args = [], {env = {}, label: _, ...options} = {}) {
    this.name = name;
    this.lines = [];
    this.exit = undefined;
    this.startedAt = performance.now();
    this.child = spawn(program, args, {stdio: ['ignore', 'pipe', 'pipe'], ...options, env: {...kCleanEnvironment, ...env}});
    alive.add(this);
    // Neither is there where `stdio` names files instead.
    this.child.stdout && this.#collect(this.child.stdout, 'out');
    this.child.stderr && this.#collect(this.child.stderr, 'err');
    this.exited = new Promise((resolve) => {
      const end = (exit) => {
        this.#ended(exit);
        resolve(this.exit);
      };
      this.child.on('exit', (code, signal) => end({code, signal}));
      this.child.on('error', (error) => end({code: null, signal: null, error: error.message}));  // Could not be started.
    });
    // Output can arrive after the exit; whoever reads it to the end waits for this.
    this.drained = new Promise((resolve) => this.child.on('close', resolve));
  }

  static binary(name, args, options) {
    return new ManagedProcess(options?.label ?? name, path.join(binDir, name), args, options);
  }

  get pid() {
    return this.child.pid;
  }

  // The process that is told by signals.
  get signalled() {
    return this.pid;
  }

  get running() {
    return this.exit === undefined;
  }

  text(stream) {
    return this.lines.filter((line) => !stream || line.stream === stream).map((line) => line.text).join('\n');
  }

  kill(signal) {
    if (this.running) {
      this.child.kill(signal);
    }
  }

  // The address of a listener, from `listening role=ROLE addr=ADDR` on standard output.
  async listening(role, ms = 10000) {
    const wanted = new RegExp(`^listening role=${role} addr=(\\S+)$`);
    const find = () => {
      for (const line of this.lines) {
        const match = line.stream === 'out' && wanted.exec(line.text);
        if (match) {
          return match[1];
        }
      }
      if (!this.running) {
        throw new Error(`${this.name} ended (${JSON.stringify(this.exit)}) before it was listening as ${role}:\n${this.text()}`);
      }
      return undefined;
    };
    return waitUntil(find, {ms: ms * patience, what: `${this.name} to print its ${role} address`, got: () => this.text()});
  }

  // Sends the signal and waits for the end; a process that is still there after `ms` is killed and reported.
  // `ms` of the result is the time from kill() to the exit.
  async stop(signal = 'SIGTERM', ms = 5000) {
    const from = performance.now();
    this.kill(signal);
    await this.waitForExit(ms, signal);
    return {...this.exit, ms: this.exit.at - from};
  }

  // Sends the signal and waits until it was taken, so that the next one does not fall into one with it.
  async tell(signal) {
    this.kill(signal);
    const pending = () => /^ShdPnd:\s+0*([^0]\w*)$/m.test(readOrEmpty(`/proc/${this.signalled}/status`));
    await waitUntil(() => !pending(), {ms: 5000 * patience, what: `${this.name} to take ${signal}`});
  }

  async waitForExit(ms, why = 'its end') {
    try {
      await within(this.exited, ms * patience, `${this.name} (pid ${this.pid}) to exit after ${why}`);
    } catch (error) {
      this.kill('SIGKILL');
      await this.exited;
      throw new Error(`${error.message}; it was killed. Its last lines:\n${this.tail()}`);
    }
    await within(this.drained, 5000, `the output of ${this.name} to end`);
    return this.exit;
  }

  tail(count = 30) {
    return this.lines.slice(-count).map((line) => line.text).join('\n');
  }

  sanitizerReport() {
    return kSanitizerReport.test(this.text('err')) ? this.text('err') : undefined;
  }

  stats() {
    return statsOf(this.pid);
  }

  #collect(stream, label) {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk) => {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop();
      for (const text of parts) {
        this.#line(label, text);
      }
    });
    stream.on('end', () => {
      if (rest !== '') {
        this.#line(label, rest);
      }
    });
  }

  #line(stream, text) {
    this.lines.push({stream, text, at: performance.now()});
    if (this.lines.length > kLinesKept) {
      this.lines.splice(1000, kLinesKept / 2);  // The first lines, with the addresses, stay.
    }
  }

  #ended(exit) {
    alive.delete(this);
    this.exit ??= {...exit, at: performance.now()};
  }
}

// Runs a program to its end.
export async function run(program, args, {ms = 15000, ...options} = {}) {
  const child = new ManagedProcess(path.basename(program), program, args, options);
  const exit = await child.waitForExit(ms, 'it was started');
  return {...exit, stdout: child.text('out'), stderr: child.text('err')};
}

export function runBinary(name, args, options) {
  return run(path.join(binDir, name), args, options);
}

const kClockTicks = 100;  // USER_HZ is 100 on every Linux that we run on.

// What /proc tells about a process: memory, descriptors, threads, CPU time, context switches of all threads.
export function statsOf(pid) {
  const base = `/proc/${pid}`;
  const status = fs.readFileSync(`${base}/status`, 'utf8');
  const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const threads = fs.readdirSync(`${base}/task`);
  let voluntary = 0;
  for (const thread of threads) {
    voluntary += field(readOrEmpty(`${base}/task/${thread}/status`), 'voluntary_ctxt_switches');
  }
  const stat = fs.readFileSync(`${base}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    rssKiB: field(status, 'VmRSS'),
    threads: threads.length,
    fds: fs.readdirSync(`${base}/fd`).length,
    voluntary,
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / kClockTicks,
  };
}

// What a session could leave behind. gRPC starts threads of its timer pool, each with an eventfd, whenever it
// likes and keeps them; those are left out.
export function resourcesOf(pid) {
  const base = `/proc/${pid}`;
  const fds = fs.readdirSync(`${base}/fd`).map((fd) => readLinkOrEmpty(`${base}/fd/${fd}`));
  const threads = fs.readdirSync(`${base}/task`).map((thread) => readOrEmpty(`${base}/task/${thread}/comm`).trim());
  return {
    fds: fds.filter((target) => target !== '' && target !== 'anon_inode:[eventfd]').length,
    threads: threads.filter((name) => name !== '' && name !== 'grpc_global_tim').length,
  };
}

function readLinkOrEmpty(file) {
  try {
    return fs.readlinkSync(file);
  } catch {
    return '';  // It was closed while we looked.
  }
}

function readOrEmpty(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';  // The thread ended while we looked.
  }
}

export function exists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

// Whether a process that is somebody else's child is over, reaped or not.
export function hasEnded(pid) {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat === '' || stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}
