// Workers that are killed at a chosen step of what they do, and what others make of it. Each serves one session, so
// that each kill hits a session at that step.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {checkEnd} from './conversation.mjs';
import {withFleet} from './fleet.mjs';
import {full, patience} from './process.mjs';
import {Scene} from './scene.mjs';
import {waitUntil} from './wait.mjs';

export const kKills = 5;       // Of each step, store and round.
export const kRounds = full ? 10 : 1;
const kLeaseMs = 3000;
const kTakeoverMs = (kLeaseMs + 15000) * patience;  // Transcripts, the lease, the pause between two looks, the model.

class CrashScene extends Scene {
  // `byRestart`: nobody but the killed workers themselves, started again, can go on; else there is one more worker,
  // with a session of its own that notices nothing.
  constructor(database, {byRestart, workers = kKills + (byRestart ? 0 : 1), sessionsEach = 1}) {
    super(database);
    this.byRestart = byRestart;
    this.workersAtFirst = workers;
    this.sessionsEach = sessionsEach;
  }

  // The sessions that were cut off, and the one that was not.
  get lost() {
    return this.clients.filter((client) => client.lost);
  }

  get kept() {
    return this.clients.filter((client) => !client.lost);
  }

  async connect(profile) {
    const connecting = Array.from({length: this.workersAtFirst * this.sessionsEach}, () => this.fleet.connect({profile}));
    this.clients = await Promise.all(connecting);
    await this.introduce();
  }

  async kill() {
    await Promise.all(this.victims.map((worker) => this.fleet.killWorker(worker)));
    this.killedAt = performance.now();
  }

  // Whoever is left may go on.
  async letGoOn() {
    await super.letGoOn();
    if (this.byRestart) {
      await Promise.all(this.victims.map((worker) => this.fleet.restartWorker(worker)));
    }
  }

  // The users of the killed workers are told.
  async checkUsers() {
    const cutOff = () => this.clients.filter((client) => client.closed);
    await waitUntil(() => cutOff().length >= kKills * this.sessionsEach, {
      ms: 5000 * patience, what: 'the sessions of the killed workers to end', got: () => cutOff().length,
    });
    for (const client of cutOff()) {
      client.lost = true;
      await checkEnd(client, {reason: 'worker_lost', code: 1011});
    }
    assert.equal(this.lost.length, kKills * this.sessionsEach, 'and no other');
  }

  checkReports(clients) {
    return this.reports(clients, this.killedAt + kTakeoverMs - performance.now());
  }

  // As long as workers are away, nobody can say for certain that there is none: each may have a store of its own.
  async checkNoReport(client) {
    const wanted = this.byRestart ? 404 : 503;
    let answer;
    await waitUntil(async () => (answer = await this.getReport(client)).status === wanted, {
      ms: 5000 * patience, every: 100, what: `${wanted} when asked for a report that is not to come`, got: () => JSON.stringify(answer),
    });
  }
}

// `newDatabase`: of a directory for its files; further options: of Scene.prepare and of CrashScene.
export async function withScene(newDatabase, {workerFlags = [], heldModel, profiles, answerTool, ...options}, body) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-crash-'));
  const scene = new CrashScene(await newDatabase(directory), options);
  const flags = [`--assessment_lease=${kLeaseMs}ms`, `--capacity=${scene.sessionsEach}`, ...workerFlags];
  const prepared = await scene.prepare(directory, {workers: scene.workersAtFirst, workerFlags: flags, heldModel, profiles, answerTool, workersReturn: true});
  try {
    await withFleet(prepared, async (fleet) => {
      scene.fleet = fleet;
      scene.victims = fleet.workers.slice(0, kKills);
      await body(scene);
      scene.model.release();
      scene.tool.release();
    });
  } finally {
    await scene.dispose();
    fs.rmSync(directory, {recursive: true, force: true});
  }
}
