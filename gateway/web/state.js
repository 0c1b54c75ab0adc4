// The one state of the page, as a pure function of what has happened. Nothing here touches the page, a clock
// or the network; view.js shows it and app.js acts on it.
import {endingOf} from './endings.js';

export const kRetriesMax = 6;
// A conversation that lasted so long was a success: the next loss starts counting anew.
const kStableMs = 10000;

// phase: idle, connecting, listening, thinking, speaking, ended, error.
export const initialState = Object.freeze({
  phase: 'idle',
  mode: 'push',        // push: hold to talk; free: the server hears when a turn ends.
  step: null,          // While connecting: microphone, server, waiting (for the next try).
  problem: null,       // Why it ended, or is being connected anew: a name in messages.js.
  notice: null,        // Something worth saying that stops nothing: a name in messages.js.
  attempt: 0,          // Of connecting, since it last worked.
  replaces: false,     // What is being connected takes the place of a conversation that broke off.
  muted: false,
  hearing: false,      // The user is speaking.
  awaiting: false,     // A turn was handed over, no answer has begun.
  responding: false,   // A response is open.
  playing: false,      // Its sound is heard.
});

const kQuiet = {hearing: false, awaiting: false, responding: false, playing: false};

export function isConversing(state) {
  return state.phase === 'listening' || state.phase === 'thinking' || state.phase === 'speaking';
}

// A phase in which nothing is under way.
export function isAtRest(state) {
  return state.phase === 'idle' || state.phase === 'ended' || state.phase === 'error';
}

export function reduce(state, event) {
  const change = kChanges[event.type];
  if (!change) {
    throw new Error(`no change is known for ${event.type}`);
  }
  const next = {...state, ...change(state, event)};
  return isConversing(next) ? {...next, phase: phaseOf(next)} : next;
}

// While a conversation is open, its facts decide the phase.
function phaseOf(state) {
  if (state.hearing) {
    return 'listening';
  }
  if (state.playing) {
    return 'speaking';
  }
  return state.responding || state.awaiting ? 'thinking' : 'listening';
}

const whileConversing = (change) => (state, event) => (isConversing(state) ? change(state, event) : {});

const kChanges = {
  modeChosen: (_, {mode}) => ({mode, muted: false, hearing: false}),
  modeRefused: (_, {mode}) => ({mode, muted: false, hearing: false, notice: 'modeFixed'}),

  startAsked: (state) => (isAtRest(state) ? {phase: 'connecting', step: 'microphone', problem: null, notice: null, attempt: 0, replaces: false, muted: false, ...kQuiet} : {}),
  microphoneReady: (state) => (state.phase === 'connecting' ? {step: 'server'} : {}),
  microphoneFailed: (_, {kind}) => ({phase: 'error', step: null, problem: `microphone_${kind}`, notice: null, ...kQuiet}),
  ready: (state) => (state.phase === 'connecting' ? begin(state) : {}),
  closed: (state, event) => (isAtRest(state) ? {} : close(state, event)),
  retrying: (state) => (state.phase === 'connecting' ? {step: 'server'} : {}),
  stopped: (state) => (isAtRest(state) ? {} : {phase: 'ended', step: null, problem: 'client_closed', notice: null, ...kQuiet}),

  pressed: whileConversing(() => ({hearing: true, notice: null})),
  released: whileConversing((_, {tooShort}) => (tooShort ? {hearing: false, notice: 'holdToSpeak'} : {hearing: false, awaiting: true})),
  muteToggled: whileConversing((state) => ({muted: !state.muted, hearing: false})),
  speechStarted: whileConversing(() => ({hearing: true, notice: null})),
  speechStopped: whileConversing(() => ({hearing: false, awaiting: true})),

  responseCreated: whileConversing(() => ({responding: true, awaiting: false})),
  responseDone: whileConversing((_, {failure}) => (failure ? {responding: false, notice: failure} : {responding: false})),
  answerAbandoned: whileConversing(() => ({awaiting: false, responding: false})),
  playbackStarted: whileConversing(() => ({playing: true})),
  playbackStopped: whileConversing(() => ({playing: false})),
  noticed: whileConversing((_, {notice}) => ({notice})),
};

// One that had to begin because another broke off is honestly called new.
function begin({replaces}) {
  return {phase: 'listening', step: null, problem: null, notice: replaces ? 'newConversation' : null, replaces: false, ...kQuiet};
}

function close(state, event) {
  const ending = endingOf(event);
  const attempt = event.lastedMs >= kStableMs ? 0 : state.attempt;
  const replaces = state.replaces || isConversing(state);
  const quiet = {...kQuiet, muted: false, notice: null, replaces, problem: ending.name};
  if (ending.outcome !== 'retry') {
    return {...quiet, phase: ending.outcome, step: null};
  }
  if (attempt >= kRetriesMax) {
    return {...quiet, phase: 'error', step: null, attempt};
  }
  return {...quiet, phase: 'connecting', step: 'waiting', attempt: attempt + 1};
}
