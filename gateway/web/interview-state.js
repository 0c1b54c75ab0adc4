// What becomes of an interview, as changes of the page's state (state.js): it is ended, assessed, and there is a
// report or a failure. Pure, like all of the state.

export const kInterviewStart = {
  profile: null,      // Of the conversation that is open.
  greeted: false,     // The user has spoken; in an interview that comes first.
  ending: false,      // The end was asked for and has not come yet.
  live: false,        // After the last turn: the connection is still there, and tells how the assessment goes.
  assessment: null,   // {id, stage: preparing|queued|writing, position, attempt}
  failure: null,      // {name: a name in interview-messages.js, message, retry: assess|ask|null}
  report: null,       // {id, content, summary}: the last one, also while something else is shown.
  summary: null,      // Spoken after the report: created, heard.
  drained: false,     // The connection was closed by a drain: the report is written elsewhere.
  assessed: false,    // There is an earlier interview whose report can be asked for.
};

const kStageOf = {pending: 'queued', running: 'writing'};
const kStages = ['queued', 'writing'];
const kStill = {hearing: false, awaiting: false};

export function isAfterInterview({phase}) {
  return phase === 'assessing' || phase === 'report' || phase === 'failed';
}

export function isInterview(state) {
  return state.profile === 'interview';
}

// The server is asked by HTTP how far it is.
export function isAsking({phase, live}) {
  return phase === 'assessing' && !live;
}

// What a closed connection means here, or undefined where nothing is assessed. What was asked to end may have
// ended: the server knows.
export function closeAfterInterview(state, ending) {
  const drained = ending === 'draining';
  if (isAfterInterview(state)) {
    return {live: false, responding: false, playing: false, drain: null, drained: state.drained || (drained && state.live)};
  }
  return state.ending ? {...assess(state, null), live: false, drain: null, drained} : undefined;
}

// Nothing more is to be heard, so the connection has served.
export function hasSummaryEnded({phase, live, summary, responding, playing}) {
  return phase === 'report' && live && summary === 'heard' && !responding && !playing;
}

const inPhase = (phase, change) => (state, event) => (state.phase === phase ? change(state, event) : {});
const isOpen = ({phase}) => phase === 'listening' || phase === 'thinking' || phase === 'speaking';

export const kInterviewChanges = {
  sessionBegan: (_, {profile}) => ({profile, greeted: false, ending: false}),
  endAsked: (state) => (isOpen(state) ? {ending: true, notice: null, ...kStill} : {}),
  endRefused: (state) => (isOpen(state) && state.ending ? {ending: false, notice: 'endRefused'} : {}),

  assessmentStarted: (state, {id}) => (isOpen(state) || state.phase === 'connecting' ? {...assess(state, id), live: true} : {}),
  // It begins with `storing` where that takes its time: then the interview is over, and nothing is promised yet.
  assessmentProgress: (state, event) => (event.stage === 'storing' ? kInterviewChanges.assessmentStarted(state, event) : progress(state, event)),
  assessmentCompleted: (state, event) => (isAwaited(state) && state.report?.id !== event.id ? deliver(event) : {}),
  assessmentFailed: (state, {id, message, retryable}) => (isAwaited(state) ? fail(state, {id, name: 'failed', message, retry: retryable ? 'assess' : null}) : {}),
  // Neither news nor a sign of life: the server is asked instead.
  assessmentSilent: inPhase('assessing', () => ({live: false})),

  retryAsked: inPhase('failed', (state) => ({...assess(state, state.assessment?.id ?? null), live: state.live, drained: false})),
  // An answer by HTTP. It may come late, when the user has begun something else.
  answered: (state, event) => (isAsking(state) || canShow(state) ? answer(state, event) : {}),
  askingFailed: (state, {name}) => (isAsking(state) ? fail(state, {name, retry: name === 'gone' ? null : 'ask'}) : {}),
  remembered: () => ({assessed: true}),
  reportWanted: (state) => (canShow(state) ? {...assess(state, null), live: false, drained: false} : {}),

  // The user has heard enough, or nothing was said for long.
  hushed: (state) => (isAfterInterview(state) ? {live: false, responding: false, playing: false} : {}),
  summaryLate: inPhase('report', () => ({summary: 'heard'})),
};

function progress(state, {stage, position, attempt}) {
  const isNews = state.phase === 'assessing' && kStages.includes(stage);
  return isNews ? {assessment: {...state.assessment, stage, position: countOf(position), attempt: countOf(attempt)}} : {};
}

function canShow({phase}) {
  return phase === 'idle' || phase === 'ended' || phase === 'error';
}

function isAwaited(state) {
  return state.phase === 'assessing' || (state.phase === 'failed' && state.live) || isOpen(state);
}

function assess(state, id) {
  return {
    ...kStill, phase: 'assessing', step: null, problem: null, notice: null, muted: false, ending: false, failure: null, summary: null, assessed: true,
    assessment: {id, stage: 'preparing', position: null, attempt: null},
  };
}

function deliver({id, content, summary = ''}) {
  return {...kStill, phase: 'report', ending: false, failure: null, notice: null, problem: null, summary: null, assessed: true, report: {id, content, summary}};
}

function fail(state, {id, name, message = '', retry}) {
  const assessment = state.assessment ?? assess(state, null).assessment;
  return {...kStill, phase: 'failed', ending: false, notice: null, assessment: {...assessment, id: id ?? assessment.id}, failure: {name, message, retry}};
}

function answer(state, {id, state: found, content}) {
  const before = {...state, assessment: isAsking(state) ? state.assessment : null};
  if (found === 'completed') {
    return {...deliver({id, content, summary: state.report?.id === id ? state.report.summary : ''}), live: false};
  }
  if (found === 'failed') {
    return {...fail(before, {id, name: 'failed', retry: 'assess'}), live: false, assessed: true, problem: null};
  }
  return {...assess(before, id), live: false, assessment: {id, stage: kStageOf[found] ?? 'preparing', position: null, attempt: null}};
}

function countOf(value) {
  return Number.isSafeInteger(value) && value > 0 ? value : null;
}
