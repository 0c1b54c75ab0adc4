// Processes that are told to go in whatever they are in the middle of, by whichever means: each is gone within its
// budget, with the right exit code, and loses nothing that it has acknowledged.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import test from 'node:test';

import {kOurs, pidFile, withDemo} from './harness/demo.mjs';
import {inEachState} from './harness/demo_scene.mjs';
import {goAway, inBatches, repeat} from './harness/drain_cells.mjs';
import {checkTold, kBudgetMs, kMeans, kTargets} from './harness/drain_scene.mjs';
import {kStates} from './harness/drain_states.mjs';
import {Figures} from './harness/figures.mjs';
import {Fleet} from './harness/fleet.mjs';
import {combinations, pairwise} from './harness/pairwise.mjs';
import {full, hasEnded, patience} from './harness/process.mjs';
import {waitUntil} from './harness/wait.mjs';

const kP50MaxMs = 300;  // With nothing that hangs.
const kCellsMax = 40;

const kFactors = {state: Object.keys(kStates), sessions: [0, 1, 10, 1000], means: kMeans, target: kTargets};
const isPossible = ({state, sessions, target}) => {
  const {counts = [1, 10], ofWorkers} = kStates[state];
  return counts.includes(sessions) && !(ofWorkers && target === 'gateway');
};
const kCrowd = {state: 'idle', sessions: 1000, means: 'EXIT', target: 'fleet'};
// In the short run a crowd is there once; and for what goes on behind the sessions one of the two signals is enough.
const isShort = (cell) => isPossible(cell) && cell.sessions !== kCrowd.sessions && !(kStates[cell.state].ofWorkers && cell.means === 'SIGINT');
const kSelection = pairwise(kFactors, isShort);

function titleOf({state, sessions, means, target}) {
  return `${state}; ${sessions} sessions; ${means} of the ${target}`;
}

function declare(cell, run) {
  test(titleOf(cell), run);
}

const quick = new Figures();
const slow = new Figures();

async function goAwayAndNote(scene, cell) {
  await goAway(scene, cell);
  (scene.state.hangs ? slow : quick).add(...scene.exits.map(({ms}) => ms));
}

// A drain after which the processes stay; then they are told to go.
async function stay(scene) {
  await scene.reach();
  await scene.stayDrained();
  await scene.leave('SIGTERM');
  quick.add(...scene.exits.map(({ms}) => ms));
  await scene.check({drains: 2});
}

async function undrain(scene) {
  await scene.reach();
  await scene.undrain();
}

test('the short run has few cells, and every pair', () => {
  assert.ok(kSelection.length <= kCellsMax, `${kSelection.length} cells`);
});

inBatches(kStates, full ? combinations(kFactors, isPossible) : [...kSelection, kCrowd], 'cells', declare, goAwayAndNote);

// In the short run each target has one or two states, in the long one all.
const oneOf = (states, target) => states.filter((_, i) => full || i % kTargets.length === kTargets.indexOf(target));
const kTen = {sessions: 10};
const kStaying = Object.keys(kStates).filter((state) => !kStates[state].ofWorkers && !kStates[state].meanwhile);
const kGoingOn = Object.keys(kStates).filter((state) => kStates[state].goOn);

inBatches(kStates, kTargets.flatMap((target) => oneOf(kStaying, target).map((state) => ({state, ...kTen, means: 'STAY', target}))), 'drains that stay', declare, stay);
inBatches(kStates, ['worker', 'gateway'].flatMap((target) => oneOf(kGoingOn, target).map((state) => ({state, ...kTen, means: 'undrain', target}))), 'drains that are undone', declare, undrain);

for (const [who, begin] of [['nobody is there', async () => new Fleet()], ['a session in each state', inEachState]]) {
  test(`Ctrl+C of the demo; ${who}`, {timeout: 900000}, () => withDemo(async ({demo, printed}) => {
    const fleet = await begin(printed);
    try {
      const pids = kOurs.map((name) => Number(fs.readFileSync(pidFile(name), 'utf8')));
      const from = performance.now();
      const ends = Promise.all(pids.map((pid) => waitUntil(() => hasEnded(pid) && performance.now() - from, {ms: 10000, every: 2, what: `the end of ${pid}`})));
      assert.equal((await demo.stop('SIGINT')).code, 0, demo.text());
      const ms = await ends;
      quick.add(...ms);
      assert.ok(Math.max(...ms) <= kBudgetMs * patience, `${ms.map(Math.round)}`);
      await Promise.all(fleet.clients.map(checkTold));
    } finally {
      await fleet.kill();
    }
  }));
}

const kTimes = 100;
const kCheap = [0, 10].flatMap((sessions) => kTargets.map((target, i) => ({state: 'idle', sessions, means: kMeans[i], target})));

for (const cell of full ? kCheap : []) {
  test(`${kTimes} times: ${titleOf(cell)}`, {timeout: 600000}, async (t) => {
    const figures = new Figures();
    await repeat(kStates, cell, kTimes, async (scene) => {
      await goAway(scene, cell);
      figures.add(...scene.exits.map(({ms}) => ms));
    });
    t.diagnostic(`${titleOf(cell)}: ${figures}`);
    quick.add(...figures.ms);
    assert.ok(figures.max <= kBudgetMs * patience, `${figures}`);
  });
}

test('with nothing that hangs a process is gone in a moment', (t) => {
  t.diagnostic(`nothing hangs: ${quick}`);
  t.diagnostic(`something hangs: ${slow}`);
  assert.ok(quick.quantile(0.5) < kP50MaxMs * patience, `${quick}`);
});
