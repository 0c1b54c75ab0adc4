// Tests of drains, each of which measures how long processes take to go. A cell is {state, sessions, means, target}; see
// drain_scene.mjs.
import {after, before, describe} from 'node:test';

import {DrainScene} from './drain_scene.mjs';

const kScenesAtOnce = 6;

// One test for each cell, made by `declare(cell, run)`; `states`: by name. Scenes are set up side by side, so that nothing
// is set up while an end is measured.
export function inBatches(states, cells, name, declare, body) {
  for (let at = 0; at < cells.length; at += kScenesAtOnce) {
    const batch = cells.slice(at, at + kScenesAtOnce);
    describe(`${name} ${at + 1} to ${at + batch.length} of ${cells.length}`, () => {
      const scenes = new Map(batch.map((cell) => [cell, new DrainScene({...cell, state: states[cell.state]})]));
      let started;
      before(async () => {
        const early = [...scenes.values()].filter(({state}) => !state.startsLate);
        started = new Map(early.map((scene) => [scene, scene.start()]));
        await Promise.allSettled(started.values());
      });
      for (const cell of batch) {
        declare(cell, () => withScene(scenes.get(cell), async (scene) => {
          await (started.get(scene) ?? scene.start());
          await body(scene, cell);
        }));
      }
      after(() => Promise.all([...scenes.values()].map((scene) => scene.kill())));
    });
  }
}

// The same many times.
export async function repeat(states, cell, times, body) {
  for (let done = 0; done < times; done += kScenesAtOnce) {
    const scenes = Array.from({length: Math.min(kScenesAtOnce, times - done)}, () => new DrainScene({...cell, state: states[cell.state]}));
    try {
      await Promise.all(scenes.map((scene) => scene.start()));
      for (const scene of scenes) {
        await withScene(scene, (each) => body(each, cell));
      }
    } finally {
      await Promise.all(scenes.map((scene) => scene.kill()));
    }
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

// A test of its own with a scene that is set up for it.
export async function withDrainScene(cell, body) {
  const scene = new DrainScene(cell);
  try {
    await withScene(scene, async () => {
      await scene.start();
      await body(scene);
    });
  } finally {
    await scene.kill();
  }
}

// The cell's processes are told to go, and do so well.
export async function goAway(scene, {means}) {
  await scene.reach();
  await scene.leave(means);
  await scene.state.afterwards?.(scene);
  await scene.check();
  await scene.state.check?.(scene);
}
