// Peers, stores and clocks that are of no help to a process that is told to go. As in drain_states.mjs, and beside that:
// `targets`: who is told. `forced`: something has to be left, and is named. `untold`: its clients cannot be told.
// `deafUpstream`: it does not even see that it was left. `otherEnds`: reasons that the store may have, too.
import {strict as assert} from 'node:assert';

import {inJournal} from './drain_states.mjs';
import {kLibrary, kReserve, libraryProfiles} from './library.mjs';
import {logged} from './log.mjs';
import {EndlessServer, FullPort} from './mean_servers.mjs';
import {patience} from './process.mjs';
import {waitUntil} from './wait.mjs';
import {WallClock} from './wall_clock.mjs';

const kDay = 24 * 60 * 60;

function dial(scene) {
  scene.clients = Array.from({length: scene.count}, () => scene.fleet.dial());
  return Promise.all(scene.clients.map(async (client) => {
    await client.opened();
    await client.ready();
  }));
}

// The model calls a tool in each session, and its start is stored.
async function callTool(scene) {
  await scene.fleet.script({calls: [{tool: kReserve.name, turn: 1}]});
  await scene.connect(kLibrary);
  scene.clients.forEach((client) => client.send({type: 'response.create'}));
  await waitUntil(async () => (await scene.toolCalls()).length === scene.count, {ms: 10000 * patience, what: 'the tools to be started'});
}

async function assess(scene) {
  await scene.connect('interview');
  await scene.trigger();
  await scene.logged('assessment.claimed', scene.count);
}

const answeredBy = (url) => ({heldModel: false, workerFlags: [`--responses_url=${url}/v1/responses`]});
const toolsBy = (url) => ({profiles: (directory) => libraryProfiles(directory, url)});

// SIGSTOP of some, from before the others are told until they have gone.
function frozen(who, targets) {
  return {
    targets,
    reach: async (scene) => {
      await scene.connect();
      who(scene).forEach((process) => process.kill('SIGSTOP'));
    },
    afterwards: (scene) => who(scene).forEach((process) => process.kill('SIGCONT')),
  };
}

// While a tool keeps its session, so that there is time for it.
function clockJump(seconds) {
  return {
    targets: ['fleet'],
    options: (scene) => {
      const {env} = scene.own('clock', new WallClock());
      return {profiles: libraryProfiles, workerEnv: env, gatewayEnv: env};
    },
    reach: async (scene) => {
      scene.tool.hold();
      await callTool(scene);
      await scene.tool.called(scene.count);
    },
    meanwhile: async (scene) => {
      await scene.begun();
      scene.clock.jumpTo(seconds);
    },
    check: (scene) => {
      for (const process of scene.leaving) {
        const [begin, end] = ['drain.begin', 'shutdown.end'].map((event) => Date.parse(logged(process, event)[0].ts));
        assert.ok(Math.abs(end - begin - 1000 * seconds) < 10000, `${process.name} has seen the jump: ${end - begin} ms`);
      }
    },
  };
}

export const kHostileStates = {
  'the upstream is mute': {
    targets: ['worker', 'gateway'],
    deafUpstream: true,
    reach: async (scene) => {
      await scene.connect();
      const {sessions} = await scene.fleet.journal();
      await Promise.all(sessions.map(({id}) => scene.fleet.fault('mute', undefined, {session: id})));
      scene.clients.forEach((client) => client.send({type: 'response.create'}));
      await inJournal(scene, 'requests', (journal) => journal.sessions.filter(({events_received: asked}) => asked['response.create']));
    },
  },
  'the upstream floods': {
    targets: ['worker', 'gateway'],
    options: {simulatorFlags: ['--fault=flood']},
    reach: dial,
  },
  'the clients are frozen': {
    targets: ['worker', 'gateway'],
    untold: true,
    options: {simulatorFlags: ['--fault=flood']},
    reach: async (scene) => {
      await dial(scene);
      scene.clients.forEach((client) => client.stopReading());
      await scene.fleet.queuesFull();
    },
  },
  'the gateway is frozen': frozen(({fleet}) => [fleet.gateway], ['worker']),
  // They find a farewell, and that its sender is gone: whichever they read first.
  'the workers are frozen': {...frozen(({fleet}) => fleet.workers, ['gateway']), otherEnds: ['client_lost']},
  'nobody can connect to the tool': {
    targets: ['worker'],
    options: async (scene) => toolsBy(scene.own('port', await FullPort.start()).url),
    reach: callTool,
  },
  'the tool never ends its answer': {
    targets: ['worker'],
    options: async (scene) => toolsBy(scene.own('endless', await EndlessServer.start()).url),
    reach: async (scene) => {
      await callTool(scene);
      await scene.endless.called(scene.count);
    },
  },
  'nobody can connect to the text model': {
    targets: ['worker'],
    options: async (scene) => answeredBy(scene.own('port', await FullPort.start()).url),
    reach: assess,
  },
  'the text model never ends its answer': {
    targets: ['worker'],
    options: async (scene) => answeredBy(scene.own('endless', await EndlessServer.start()).url),
    reach: async (scene) => {
      await assess(scene);
      await scene.endless.called(scene.count);
    },
  },
  'the store is locked': {
    targets: ['worker', 'fleet'],
    forced: true,
    reach: async (scene) => {
      scene.model.hold();
      await assess(scene);
      await scene.database.lock();
    },
    afterwards: (scene) => scene.database.unlock(),
    check: checkAllNamed,
  },
  'the wall clock jumps a day ahead': clockJump(kDay),
  'the wall clock jumps a day back': clockJump(-kDay),
};

// Each session and each assessment is among what was not saved.
export function checkAllNamed(scene) {
  const named = scene.leaving.flatMap((process) => logged(process, 'drain.end')).flatMap(({not_stored}) => not_stored.split(' '));
  for (const {about, events} of scene.clients) {
    const {assessment_id} = events.find(({type}) => type === 'voicebridge.assessment.started');
    assert.ok(named.includes(about.session_id) && named.includes(assessment_id), `${about.session_id} and ${assessment_id} are named: ${named}`);
  }
}
