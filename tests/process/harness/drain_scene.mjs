// An installation whose processes are told to go while its sessions are in the middle of something, and what must hold
// afterwards.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import grpc from '@grpc/grpc-js';

import {AdminClient} from './admin.mjs';
import {answerInText} from './conversation.mjs';
import {sqliteIn} from './database.mjs';
import {Fleet} from './fleet.mjs';
import {watchHealth} from './health.mjs';
import {request} from './http.mjs';
import {logged} from './log.mjs';
import {patience} from './process.mjs';
import {Scene} from './scene.mjs';
import {waitUntil} from './wait.mjs';

export const kBudgetMs = 3000;
export const kTargets = ['worker', 'gateway', 'fleet'];
// A signal is sent to each process; EXIT is asked of one, which for a fleet asks the others.
export const kMeans = ['SIGINT', 'SIGTERM', 'EXIT'];

export class DrainScene extends Scene {
  // `state`: see drain_states.mjs. `target`: who is told to go.
  constructor({state, sessions, target}) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-drain-'));
    super(sqliteIn(directory));
    Object.assign(this, {directory, state, count: sessions, target, owned: []});
  }

  async start() {
    await this.state.fill?.(this.database);
    const {options} = this.state;
    const wanted = typeof options === 'function' ? await options(this) : options;
    await this.#start({workers: this.target === 'fleet' ? 2 : 1, ...wanted});
  }

  async #start(options) {
    const simulatorFlags = ['--audio_speed=1', ...(options.simulatorFlags ?? [])];
    this.fleet = await Fleet.start(await this.prepare(this.directory, {...options, simulatorFlags}));
    this.admin = await AdminClient.of(this.target === 'worker' ? this.fleet.workers[0] : this.fleet.gateway);
  }

  // Something that is stopped when all may go on, and at the end; with its name in `this`.
  own(name, thing) {
    this[name] = thing;
    this.owned.push(thing);
    return thing;
  }

  async connect(profile) {
    this.clients = await Promise.all(Array.from({length: this.count}, () => this.fleet.connect({profile, ms: 20000})));
    await this.introduce();
  }

  async reach() {
    await this.state.reach(this);
    this.before = await this.fleet.journal();
  }

  // Those that are told to go.
  get leaving() {
    const {gateway, workers} = this.fleet;
    return {worker: [workers[0]], gateway: [gateway], fleet: [gateway, ...workers]}[this.target];
  }

  // The workers that have sessions.
  get busy() {
    return this.fleet.workers.filter((worker) => logged(worker, 'session.attached').length > 0);
  }

  // Tells them to go; with their exits, and how long they took in `ms`.
  async leave(means) {
    const from = performance.now();
    const summary = this.#tell(means);
    await this.state.meanwhile?.(this);
    const exits = await Promise.all(this.leaving.map((process) => process.waitForExit(kBudgetMs + 2000, means)));
    this.summary = (await summary) ?? this.summary;
    this.exits = exits.map((exit, i) => ({...exit, ms: exit.at - from, process: this.leaving[i]}));
    return this.exits;
  }

  // Drains them by an operator's call after which they stay: they refuse, and still answer.
  async stayDrained() {
    this.summary = await this.admin.drain({scope: this.scope});
    assert.equal((await this.admin.status()).draining, true);
    for (const process of this.leaving) {
      assert.equal((await request(`${this.fleet.ops.get(process)}/readyz`)).status, 503);
      const health = await watchHealth(await process.listening('admin'));
      assert.deepEqual(health.statuses, ['NOT_SERVING']);
      health.stop();
    }
    // A worker that is not drained itself learns from its gateway that they are over.
    await this.fleet.sessionsGone();
    await assert.rejects(this.fleet.dial().opened(), ({status}) => status === 503);
  }

  // Begins a drain in which sessions may finish, and takes it back: they go on, and others come.
  async undrain() {
    const drain = this.admin.drain({mode: 'FINISH', budget: {seconds: 60}, scope: this.scope});
    await Promise.all(this.clients.map((client) => client.waitFor('voicebridge.session.draining')));
    await drain.begun;
    await this.admin.undrain();
    await assert.rejects(drain, ({code}) => code === grpc.status.ABORTED);
    this.undrainedAt = performance.now();
    await this.state.goOn(this);
    await this.fleet.servingWorkers(this.fleet.workers.length);
    const next = await this.fleet.connect();
    await answerInText(next);
  }

  get scope() {
    return this.target === 'fleet' ? 'FLEET' : 'SELF';
  }

  // Those that are told to go know it, or have gone.
  async begun() {
    const knows = (process) => !process.running || logged(process, 'drain.begin').length > 0;
    await waitUntil(() => this.leaving.every(knows), {ms: 3000 * patience, every: 2, what: 'the drain to begin'});
  }

  #tell(means) {
    if (means === 'EXIT') {
      return this.admin.drain({then: 'EXIT', scope: this.scope});
    }
    this.leaving.forEach((process) => process.kill(means));
    return undefined;
  }

  // What must hold once they have gone, whatever they were in the middle of. `forced`: whether something had to be left.
  // `drains`: how many they have had.
  async check({drains = 1} = {}) {
    const {forced = false, untold = false} = this.state;
    for (const {process, code, ms} of this.exits) {
      assert.ok(ms <= kBudgetMs * patience, `${process.name} took ${Math.round(ms)} ms\n${process.tail()}`);
      checkVerdict(process, code, drains);
    }
    assert.equal(this.exits.some(({code}) => code === 3), forced, `exit codes ${this.exits.map(({code}) => code)}\n${this.fleet.logs()}`);
    await Promise.all(untold ? [] : this.clients.map(checkTold));
    this.#checkReasons();
    this.#checkSummary();
    await this.#checkUpstream();
    await this.checkStore();
  }

  // Each session has one end, and its reason is said.
  #checkReasons() {
    for (const role of ['gateway', 'worker']) {
      const processes = this.leaving.filter((process) => (process === this.fleet.gateway) === (role === 'gateway'));
      if (processes.length > 0) {
        const ends = processes.flatMap((process) => logged(process, 'session.ended'));
        for (const {about} of this.clients.filter((client) => client.about)) {
          assert.ok(ends.filter(({session}) => session === about.session_id).length <= 1, 'none ends twice');
        }
        assert.ok(this.count - ends.length <= droppedLines(processes), `the ${role} says of ${ends.length} sessions how they ended`);
        assert.deepEqual(ends.filter((end) => !this.#endedWell(end, role)), []);
      }
    }
  }

  // A worker of which a gateway wants nothing more before it has said that it is ready is told no reason.
  #endedWell({session, reason, tasks_left}, role) {
    const wasReady = this.clients.some(({about}) => about?.session_id === session);
    return tasks_left === 0 && (reason === 'draining' || (role === 'worker' && !wasReady && reason === 'client_lost'));
  }

  // Of an operator's call: each session that was ready is told of, once.
  #checkSummary() {
    if (this.summary !== undefined) {
      const {handed_over, finished, stored, forced} = this.summary;
      const ids = [...handed_over, ...finished, ...stored, ...forced];
      assert.equal(ids.length, this.count);
      for (const {about} of this.clients) {
        assert.ok(!about || ids.includes(about.session_id), `${about?.session_id} is in the summary`);
      }
    }
  }

  // Nothing was sent once the end had begun, nothing was refused, and nothing is left open.
  async #checkUpstream() {
    const open = ({sessions}) => sessions.filter(({state}) => state === 'open');
    let after;
    await waitUntil(async () => open(after = await this.fleet.journal()).length === 0 || this.state.deafUpstream, {
      ms: 3000 * patience, what: 'all upstream connections to be closed', got: () => `${open(after).length} are open`,
    });
    assert.equal(after.refused, 0, JSON.stringify(after.sessions.flatMap(({refusals}) => refusals)));
    // A worker that stays may have begun to speak the summary just before it is told.
    const known = new Set(this.before.sessions.map(({id}) => id));
    const received = ({sessions}) => sessions.filter(({id}) => this.target !== 'gateway' || known.has(id))
        .map(({id, events_received}) => ({id, events_received}));
    assert.deepEqual(received(after), received(this.before), 'no request goes to a conversation that is over');
    assert.ok(this.target === 'gateway' || after.responses_count === this.before.responses_count, 'nor to the text model');
  }

  // What users were told is in the store, or somebody has named it as lost.
  async checkStore() {
    const lost = this.exits.flatMap(({process}) => logged(process, 'drain.end')).flatMap(({not_stored}) => not_stored.split(' '));
    const kept = this.clients.filter(({about}) => about && !lost.includes(about.session_id));
    const rows = await this.#sessionsEnded(kept);
    const items = await this.database.rows('SELECT session_id, item_id FROM items');
    const stored = new Set(items.map(({session_id, item_id}) => `${session_id} ${item_id}`));
    const assessments = await this.assessments();
    for (const {about, events} of kept) {
      const row = rows.find(({id}) => id === about.session_id);
      assert.ok(['draining', ...this.state.otherEnds ?? []].includes(row.end_reason), JSON.stringify(row));
      const missing = events.filter(({type}) => type === 'conversation.item.done').filter(({item}) => !stored.has(`${about.session_id} ${item.id}`));
      assert.deepEqual(missing, [], `items of ${about.session_id} that its user was told of`);
      const started = events.find(({type}) => type === 'voicebridge.assessment.started');
      const assessment = assessments.find(({session_id}) => session_id === about.session_id);
      assert.ok(!started || lost.includes(started.assessment_id) || assessment?.id === started.assessment_id, `the assessment of ${about.session_id}`);
    }
  }

  // A worker that stays writes the end when it comes to it.
  async #sessionsEnded(clients) {
    let rows;
    const missing = () => clients.filter(({about}) => !rows.find(({id, end_reason}) => id === about.session_id && end_reason !== null));
    await waitUntil(async () => {
      rows = await this.database.rows('SELECT id, end_reason FROM sessions');
      return missing().length === 0;
    }, {ms: (this.target === 'gateway' ? 3000 : 0) * patience, what: 'the end of all sessions in the store', got: () => missing().map(({about}) => about.session_id)});
    return rows;
  }

  async letGoOn() {
    await super.letGoOn();
    await Promise.all(this.owned.map((each) => each.stop()));
  }

  // What is left of the installation ends, too.
  async stop() {
    this.admin?.close();
    try {
      if (this.fleet !== undefined) {
        await this.letGoOn();
        await this.fleet.stop({exitCode: (process) => this.exits?.find((exit) => exit.process === process)?.code ?? 0});
      }
    } finally {
      await this.kill();
    }
  }

  async kill() {
    await this.fleet?.kill();
    await this.dispose();
    await Promise.all(this.owned.map((each) => each.stop()));
    fs.rmSync(this.directory, {recursive: true, force: true});
  }
}

// When a thousand sessions end at once, writing all of it would take too long; that is said.
function droppedLines(processes) {
  return processes.flatMap((process) => logged(process, 'log.dropped')).reduce((sum, {lines_total}) => sum + lines_total, 0);
}

// Exit code 3 if and only if something was left, and what was left is said.
function checkVerdict(process, code, drains) {
  const ends = logged(process, 'drain.end');
  assert.equal(ends.length, drains, `${process.name} says how it went\n${process.tail()}`);
  const end = ends.at(-1);
  const left = end.forced > 0 || end.unreachable > 0 || end.not_stored !== '' || end.tasks_left !== '' || logged(process, 'task.abandoned').length > 0;
  assert.equal(code, left ? 3 : 0, `${process.name}: ${JSON.stringify(end)}\n${process.tail()}`);
  if (!left) {
    assert.deepEqual(process.lines.filter(({text}) => /"level":"error"/.test(text)), [], 'being told to go is no error');
  }
}

// Of a session that was closed by a drain.
export async function checkTold(client) {
  const close = await client.waitForClose(kBudgetMs);
  assert.equal(close.code, 1001, JSON.stringify(close));
  const types = client.typesSeen();
  assert.deepEqual(types.filter((type) => type === 'voicebridge.session.ended').length, 1, `told once: ${types.slice(-5)}`);
  assert.equal(types.at(-1), 'voicebridge.session.ended', 'and nothing after that');
  assert.ok(types.includes('voicebridge.session.draining'), 'it was announced');
  assert.equal(client.events.at(-1).reason, 'draining');
}
