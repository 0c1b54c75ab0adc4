// Processes that are told to go in whatever they are in the middle of, by whichever means: each is gone within its
// budget, with the right exit code, and loses nothing that it has acknowledged.
import {strict as assert} from 'node:assert';
import fs from 'node:fs';
import {after, before, describe, test} from 'node:test';

import {kOurs, pidFile, withDemo} from './harness/demo.mjs';
import {inEachState} from './harness/demo_scene.mjs';
import {checkTold, DrainScene, kBudgetMs, kMeans, kTargets} from './harness/drain_scene.mjs';
import {kStates} from './harness/drain_states.mjs';
import {Figures} from './harness/figures.mjs';
import {Fleet} from './harness/fleet.mjs';
import {combinations, pairwise} from './harness/pairwise.mjs';
import {full, hasEnded, patience} from './harness/process.mjs';
import {waitUntil} from './harness/wait.mjs';

const kP50MaxMs = 300;  // With nothing that hangs.
const kCellsMax = 40;
const kScenesAtOnce = 6;

const kFactors = {state: Object.keys(kStates), sessions: [0, 1, 10, 1000], means: kMeans, target: kTargets};
const isPossible = ({state, sessions, target}) => {
  const {counts = [1, 10], ofWorkers} = kStates[state];
  return counts.includes(sessions) && !(ofWorkers && target === 'gateway');
};
// In the short run there is no crowd; and for what goes on behind the sessions one of the two signals is enough.
const isShort = (cell) => isPossible(cell) && cell.sessions !== 1000 && !(kStates[cell.state].ofWorkers && cell.means === 'SIGINT');
const kSelection = pairwise(kFactors, isShort);

const quick = new Figures();
const slow = new Figures();

function titleOf({state, sessions, means, target}) {
  return `${state}; ${sessions} sessions; ${means} of the ${target}`;
}

// Scenes that are set up side by side, so that nothing is set up while an end is measured.
function inBatches(cells, name, body) {
  for (let at = 0; at < cells.length; at += kScenesAtOnce) {
    const batch = cells.slice(at, at + kScenesAtOnce);
    describe(`${name} ${at + 1} to ${at + batch.length} of ${cells.length}`, () => {
      const scenes = new Map(batch.map((cell) => [cell, new DrainScene({...cell, state: kStates[cell.state]})]));
      let started;
      before(async () => {
        const early = [...scenes.values()].filter(({state}) => !state.startsLate);
        started = new Map(early.map((scene) => [scene, scene.start()]));
        await Promise.allSettled(started.values());
      });
      for (const cell of batch) {
        test(titleOf(cell), (t) => withScene(scenes.get(cell), async (scene) => {
          await (started.get(scene) ?? scene.start());
          await body(scene, cell, t);
        }));
      }
      after(() => Promise.all([...scenes.values()].map((scene) => scene.kill())));
    });
  }
}

async function withScene(scene, body) {
  try {
    await body(scene);
    await scene.stop();
  } catch (error) {
    error.stack += `\n${scene.fleet?.logs()}`;
    throw error;
  }
}

function note({state, exits}) {
  (state.hangs ? slow : quick).add(...exits.map(({ms}) => ms));
}

async function goAway(scene, {means}) {
  await scene.reach();
  await scene.leave(means);
  note(scene);
  await scene.check();
  await scene.state.check?.(scene);
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

inBatches(full ? combinations(kFactors, isPossible) : kSelection, 'cells', goAway);

// In the short run each target has one or two states, in the long one all.
const oneOf = (states, target) => states.filter((_, i) => full || i % kTargets.length === kTargets.indexOf(target));
const kTen = {sessions: 10};
const kStaying = Object.keys(kStates).filter((state) => !kStates[state].ofWorkers && !kStates[state].meanwhile);
const kGoingOn = Object.keys(kStates).filter((state) => kStates[state].goOn);

inBatches(kTargets.flatMap((target) => oneOf(kStaying, target).map((state) => ({state, ...kTen, means: 'STAY', target}))), 'drains that stay', stay);
inBatches(['worker', 'gateway'].flatMap((target) => oneOf(kGoingOn, target).map((state) => ({state, ...kTen, means: 'undrain', target}))), 'drains that are undone', undrain);

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

test('with nothing that hangs a process is gone in a moment', (t) => {
  t.diagnostic(`nothing hangs: ${quick}`);
  t.diagnostic(`something hangs: ${slow}`);
  assert.ok(quick.quantile(0.5) < kP50MaxMs * patience, `${quick}`);
});
