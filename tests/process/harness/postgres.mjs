// A real PostgreSQL for one test file: its data and its socket are in a directory of its own, it listens on no port.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {PostgresDatabase} from './database.mjs';
import {ManagedProcess, patience, run} from './process.mjs';
import {waitUntil} from './wait.mjs';

const kVersions = '/usr/lib/postgresql';

// PostgreSQL does not run as root.
function serverUser() {
  if (process.getuid() !== 0) {
    return {};
  }
  const entry = fs.readFileSync('/etc/passwd', 'utf8').split('\n').find((line) => line.startsWith('postgres:'));
  const [, , uid, gid] = entry.split(':');
  return {uid: Number(uid), gid: Number(gid)};
}

function program(name) {
  const newest = fs.readdirSync(kVersions).sort((a, b) => Number(a) - Number(b)).at(-1);
  return path.join(kVersions, newest, 'bin', name);
}

export class PostgresServer {
  static async start() {
    const server = new PostgresServer();
    const made = await run(program('initdb'), [`--pgdata=${server.data}`, '--auth=trust', '--username=voicebridge', '--encoding=UTF8', '--no-locale', '--no-sync'],
                           {ms: 60000, ...server.options});
    if (made.code !== 0) {
      throw new Error(`initdb ended with ${made.code}: ${made.stderr}`);
    }
    await server.serve();
    return server;
  }

  constructor() {
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-postgres-'));
    this.data = path.join(this.directory, 'data');
    this.options = {cwd: this.directory, ...serverUser()};
    this.databases = 0;
    if (this.options.uid !== undefined) {
      fs.chownSync(this.directory, this.options.uid, this.options.gid);
    }
  }

  // Also after it was stopped or killed.
  async serve() {
    this.process = new ManagedProcess('postgres', program('postgres'), [
      '-D', this.data, '-k', this.directory, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'max_connections=200',
    ], this.options);
    await waitUntil(() => /ready to accept connections/.test(this.process.text('err')), {
      ms: 30000 * patience, what: 'PostgreSQL to be ready', got: () => this.process.text('err'),
    });
  }

  // Its connections break, and nobody can make new ones until it serves again.
  async goAway() {
    await this.process.stop('SIGQUIT', 15000);
  }

  async newDatabase() {
    const name = `test_${this.databases += 1}`;
    const made = await run('psql', ['--no-psqlrc', `--command=CREATE DATABASE ${name}`, `postgresql://voicebridge@/postgres?host=${this.directory}`], {ms: 30000});
    if (made.code !== 0) {
      throw new Error(`CREATE DATABASE ended with ${made.code}: ${made.stderr}`);
    }
    return new PostgresDatabase(this.directory, name);
  }

  async stop() {
    await this.process.stop('SIGINT', 15000);
    fs.rmSync(this.directory, {recursive: true, force: true});
  }
}
