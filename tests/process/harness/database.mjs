// The workers' store as a test sees it from outside: reads it, and stops every writer by holding its write lock.
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import {logged} from './faults.mjs';
import {patience} from './process.mjs';
import {waitUntil, within} from './wait.mjs';

const kTables = 'sessions, items, tool_calls, assessments';

// A connection to the database, in a program of its own: a line of SQL in, a line of JSON out.
class Console {
  constructor(program, args) {
    this.child = spawn(program, args, {stdio: ['pipe', 'pipe', 'inherit']});
    this.rest = '';
    this.answered = () => {};
    this.child.stdout.setEncoding('utf8').on('data', (chunk) => {
      const lines = (this.rest + chunk).split('\n');
      this.rest = lines.pop();
      lines.forEach((line) => this.answered(line));
    });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
  }

  async ask(line) {
    const answer = new Promise((resolve) => {
      this.answered = resolve;
    });
    const gone = this.ended.then(() => {
      throw new Error(`the database's console ended at: ${line}`);
    });
    this.child.stdin.write(`${line}\n`);
    return JSON.parse(await within(Promise.race([answer, gone]), 10000 * patience, `the database to answer ${line}`));
  }

  async stop() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

class Database {
  isLocked = false;

  // The rows as objects.
  async rows(select) {
    this.reader ??= this.open();
    return this.reader.ask(this.asJson(select));
  }

  // From here on no worker can write, and all can read.
  async lock() {
    this.holder ??= this.open();
    this.lockedAt = performance.now();
    await this.holder.ask(this.lockSql);
    this.isLocked = true;
  }

  async unlock() {
    await this.holder.ask(this.unlockSql);
    this.isLocked = false;
  }

  async stop() {
    await this.reader?.stop();
    await this.holder?.stop();
  }
}

const kSqliteConsole = `
import json, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], timeout=10, isolation_level=None)
for sql in sys.stdin:
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description or []]
    print(json.dumps([dict(zip(names, row)) for row in cursor]), flush=True)
`;

export class SqliteFile extends Database {
  lockSql = 'BEGIN IMMEDIATE';
  unlockSql = 'ROLLBACK';

  // `command(program, args)`: how a program is started that sees the file.
  constructor(file, command = (program, args) => [program, args]) {
    super();
    this.file = file;
    this.command = command;
    this.url = `sqlite:${file}`;
  }

  open() {
    return new Console(...this.command('python3', ['-c', kSqliteConsole, this.file]));
  }

  asJson(select) {
    return select;
  }

  // All these workers are stopped by the lock: they say so once, when they have waited in vain.
  async stopped(workers) {
    const isStopped = (worker) => worker.lines.some(({text, at}) => at > this.lockedAt && text.includes('"store.unavailable"'));
    await waitUntil(() => workers.every(isStopped), {
      ms: 8000 * patience, what: 'the workers to wait for SQLite\'s lock', got: () => workers.map((worker) => logged(worker, 'store.unavailable').length).join(', '),
    });
  }
}

export class PostgresDatabase extends Database {
  lockSql = `BEGIN; LOCK TABLE ${kTables} IN EXCLUSIVE MODE; SELECT '[]';`;
  unlockSql = 'ROLLBACK; SELECT \'[]\';';

  constructor(directory, name) {
    super();
    this.url = `postgresql://voicebridge@/${name}?host=${directory}`;
  }

  open() {
    return new Console('psql', ['--no-psqlrc', '--quiet', '--tuples-only', '--no-align', '--set=ON_ERROR_STOP=1', this.url]);
  }

  asJson(select) {
    return `SELECT coalesce(jsonb_agg(row), '[]') FROM (${select}) AS row;`;
  }

  async stopped(workers) {
    const waiting = 'SELECT count(*) AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = \'Lock\'';
    let count;
    await waitUntil(async () => {
      [{count}] = await this.rows(waiting);
      return count >= workers.length;
    }, {ms: 8000 * patience, what: `${workers.length} workers to wait for PostgreSQL's lock`, got: () => count});
  }
}

export function sqliteIn(directory) {
  fs.mkdirSync(directory, {recursive: true});
  return new SqliteFile(path.join(directory, 'store.db'));
}
