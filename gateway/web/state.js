// The one state of the page, as a pure function of what has happened. Nothing here touches the page, a clock
// or the network; view.js and interview-view.js show it and app.js acts on it. What follows an interview's last
// turn is in interview-state.js.
import {endingOf} from './endings.js';
import {closeAfterInterview, hasSummaryEnded, isAfterInterview, isInterview, kInterviewChanges, kInterviewStart} from './interview-state.js';

export const kRetriesMax = 6;
// A conversation that lasted so long was a success: the next loss starts counting anew.
const kStableMs = 10000;

const kQuiet = {hearing: false, awaiting: false, responding: false, playing: false};

// phase: idle, connecting, listening, thinking, speaking, ended, error; after an interview: assessing, report, failed.
export const initialState = Object.freeze({
  phase: 'idle',
  mode: 'push',        // push: hold to talk; free: the server hears when a turn ends.
  step: null,          // While connecting: microphone, server, waiting (for the next try).
  problem: null,       // Why it ended, or is being connected anew: a name in messages.js.
  notice: null,        // Something worth saying that stops nothing: a name in messages.js.
  said: '',            // What the server said, for the notice that repeats it.
  attempt: 0,          // Of connecting, since it last worked.
  replaces: false,     // What is being connected takes the place of a conversation that broke off.
  muted: false,
  drain: null,         // The service is being drained: {seconds: that are left, isLast: the microphone is closed}.
  ...kQuiet,           // hearing: the user is speaking. awaiting: a turn was handed over, no answer has begun.
                       // responding: a response is open. playing: its sound is heard.
  ...kInterviewStart,
});

export function isConversing(state) {
  return state.phase === 'listening' || state.phase === 'thinking' || state.phase === 'speaking';
}

// A phase in which no connection, microphone or sound is needed.
export function isAtRest(state) {
  return state.phase === 'idle' || state.phase === 'ended' || state.phase === 'error' || (isAfterInterview(state) && !state.live);
}

export function reduce(state, event) {
  const change = kChanges[event.type];
  if (!change) {
    throw new Error(`no change is known for ${event.type}`);
  }
  const next = {...state, ...change(state, event)};
  if (hasSummaryEnded(next)) {
    return {...next, live: false};
  }
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
const whileOpen = (change) => (state, event) => (isConversing(state) || (isAfterInterview(state) && state.live) ? change(state, event) : {});

const kChanges = {
  ...kInterviewChanges,

  modeChosen: (_, {mode}) => ({mode, muted: false, hearing: false}),
  modeRefused: (_, {mode}) => ({mode, muted: false, hearing: false, notice: 'modeFixed'}),

  startAsked: (state) => (isAtRest(state) ? start() : {}),
  microphoneReady: (state) => (state.phase === 'connecting' ? {step: 'server'} : {}),
  microphoneFailed: (state, {kind}) => (isAfterInterview(state) ? {} : {phase: 'error', step: null, problem: `microphone_${kind}`, notice: null, ...kQuiet}),
  ready: (state) => (state.phase === 'connecting' ? begin(state) : {}),
  closed: (state, event) => closeAfterInterview(state, endingOf(event).name) ?? (isAtRest(state) ? {} : close(state, event)),
  retrying: (state) => (state.phase === 'connecting' ? {step: 'server'} : {}),
  stopped: (state) => (isAtRest(state) ? {} : {phase: 'ended', step: null, problem: 'client_closed', notice: null, drain: null, ...kQuiet}),

  pressed: whileConversing(() => ({hearing: true, notice: null})),
  released: whileConversing((_, {tooShort}) => (tooShort ? {hearing: false, notice: 'holdToSpeak'} : {hearing: false, awaiting: true, greeted: true})),
  muteToggled: whileConversing((state) => ({muted: !state.muted, hearing: false})),
  speechStarted: whileConversing(() => ({hearing: true, notice: null})),
  speechStopped: whileConversing(() => ({hearing: false, awaiting: true, greeted: true})),

  responseCreated: whileOpen((state) => ({responding: true, awaiting: false, summary: state.phase === 'report' ? 'created' : null})),
  responseDone: whileOpen((state, {failure}) => (failure && isConversing(state) ? {responding: false, notice: failure} : {responding: false})),
  answerAbandoned: whileConversing(() => ({awaiting: false, responding: false})),
  playbackStarted: whileOpen((state) => ({playing: true, summary: state.summary && 'heard'})),
  playbackStopped: whileOpen(() => ({playing: false})),
  drainTold: whileOpen(({drain}, {seconds}) => ({drain: {isLast: false, ...drain, seconds}})),
  // A turn that is being spoken by hand is on its way; hands-free, this is its end.
  lastWords: whileOpen(({drain, mode, hearing}) => ({drain: {...drain, isLast: true}, hearing: hearing && mode === 'push'})),
  drainCalledOff: whileOpen(() => ({drain: null})),
  noticed: whileOpen((_, {notice}) => ({notice})),
  serverSaid: whileOpen((_, {text}) => ({notice: 'serverSaid', said: text})),
};

function start() {
  return {
    phase: 'connecting', step: 'microphone', problem: null, notice: null, attempt: 0, replaces: false, muted: false, drain: null, ...kQuiet,
    profile: null, greeted: false, ending: false, live: false, assessment: null, failure: null, summary: null, drained: false,
  };
}

// One that had to begin because another broke off is honestly called new.
function begin({replaces}) {
  return {phase: 'listening', step: null, problem: null, notice: replaces ? 'newConversation' : null, replaces: false, ...kQuiet};
}

function close(state, event) {
  const ending = endingOf(event);
  const attempt = event.lastedMs >= kStableMs ? 0 : state.attempt;
  const replaces = state.replaces || isConversing(state);
  const problem = ending.name === 'draining' && isInterview(state) ? 'draining_interview' : ending.name;
  const quiet = {...kQuiet, muted: false, notice: null, drain: null, replaces, problem};
  if (ending.outcome !== 'retry') {
    return {...quiet, phase: ending.outcome, step: null};
  }
  if (attempt >= kRetriesMax) {
    return {...quiet, phase: 'error', step: null, attempt};
  }
  return {...quiet, phase: 'connecting', step: 'waiting', attempt: attempt + 1};
}
