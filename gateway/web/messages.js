// Every text for people; those about an interview's end are in interview-messages.js.
import {isAfterInterview, isInterview} from './interview-state.js';
import {isConversing, kRetriesMax} from './state.js';

export const kTexts = {
  appName: 'Voicebridge',
  tagline: 'Talk with the assistant',
  end: 'End',
  cancel: 'Cancel',
  modeLegend: 'How do you want to talk?',
  modePush: 'Hold to talk',
  modeFree: 'Hands-free',
  modePushHint: 'You decide when it listens.',
  modeFreeHint: 'It hears when you pause.',
  level: 'Microphone level',
  transcript: 'Conversation',
  emptyTitle: 'Nothing has been said yet.',
  emptyText: 'What you and the assistant say appears here.',
  you: 'You',
  assistant: 'Assistant',
  interrupted: 'interrupted',
  notTranscribed: 'Your words could not be written down.',
  nothingHeard: 'No words were heard.',
  pendingWords: 'Being written down',
  earlierConversation: 'Earlier conversation',
  currentConversation: 'New conversation',
  noScript: 'This page needs JavaScript.',
};

// What the one big button does now: its name, by what pressing it means (view.js).
export const kActions = {
  start: 'Start talking',
  again: 'Start a new conversation',
  retry: 'Try again',
  hold: 'Hold to talk',
  release: 'Release to send',
  interrupt: 'Hold to interrupt',
  mute: 'Mute the microphone',
  unmute: 'Unmute the microphone',
  wait: 'One moment',
};

// The state in a word or two, and what to do about it.
export function stateTexts(state) {
  if (isConversing(state) && state.drain?.isLast) {
    return {name: 'Ending', hint: 'The microphone is off; what you said is kept.'};
  }
  switch (state.phase) {
    case 'idle':
      return {name: kTexts.tagline, hint: 'Start, and allow the microphone when the browser asks.'};
    case 'connecting':
      return connectingTexts(state);
    case 'listening':
      return listeningTexts(state);
    case 'thinking':
      return {name: 'Thinking', hint: state.mode === 'push' ? 'Hold to say something else instead.' : 'Speak to say something else instead.'};
    case 'speaking':
      return {name: 'Speaking', hint: state.mode === 'push' ? 'Hold to interrupt.' : 'Just speak to interrupt.'};
    case 'ended':
      return {name: 'Ended', hint: ''};
    default:
      return {name: 'Stopped', hint: ''};
  }
}

function connectingTexts({step, attempt}) {
  if (step === 'microphone') {
    return {name: 'Connecting', hint: 'Allow the microphone if the browser asks.'};
  }
  if (step === 'waiting') {
    return {name: 'Connecting again', hint: `Trying again in a moment (try ${attempt} of ${kRetriesMax}).`};
  }
  return {name: attempt > 0 ? 'Connecting again' : 'Connecting', hint: 'Reaching the assistant.'};
}

function listeningTexts({mode, hearing, muted, profile, greeted, ending}) {
  if (ending) {
    return {name: 'Finishing', hint: 'One moment.'};
  }
  if (profile === 'interview' && !greeted && !hearing && !muted) {
    return {name: 'Ready', hint: mode === 'push' ? 'You speak first: hold the button and say hello.' : 'You speak first: say hello.'};
  }
  if (mode === 'push') {
    return hearing ? {name: 'Listening', hint: 'Release when you are done.'} : {name: 'Ready', hint: 'Hold the button, Space or Enter while you speak.'};
  }
  if (muted) {
    return {name: 'Muted', hint: 'The assistant does not hear you.'};
  }
  return {name: 'Listening', hint: hearing ? 'It hears you.' : 'Speak whenever you like.'};
}

// Why a conversation ended or could not begin: what happened, and what to do. By the names of endings.js, and
// microphone_ + the kinds of microphone.js.
export const kProblems = {
  client_closed: {title: 'The conversation has ended.', advice: 'It stays here to read until you leave the page.'},
  client_lost: {title: 'The connection was interrupted.', advice: 'Check your network if this happens again.'},
  ended_by_operator: {title: 'The conversation was ended by the service.', advice: 'You can start a new one.'},
  draining: {title: 'The service is being updated.', advice: 'This conversation had to end and stays here to read. You can start a new one.'},
  draining_interview: {title: 'The service is being updated.', advice: 'The interview had to end before its report. You can start a new one.'},
  policy: {title: 'This conversation is not allowed.', advice: 'The link may be wrong or its time over. Ask whoever gave it to you.'},
  protocol_error: {title: 'The page and the service did not understand each other.', advice: 'Reload the page. If that does not help, tell the people who run this service.'},
  slow_client: {title: 'Your connection was too slow for the voice.', advice: 'A steadier network helps; so does closing other downloads.'},
  session_limit: {title: 'The longest time for one conversation is over.', advice: 'You can start a new one.'},
  no_worker: {title: 'The service is full at the moment.', advice: 'Usually a place becomes free soon.'},
  worker_lost: {title: 'The conversation broke off because a part of the service failed.', advice: 'You need not do anything; a new conversation begins.'},
  upstream_refused: {title: 'The assistant cannot be used right now.', advice: 'Trying again will not help. Tell the people who run this service.'},
  upstream_unavailable: {title: 'The assistant cannot be reached at the moment.', advice: 'This is usually short.'},
  upstream_lost: {title: 'The connection to the assistant broke.', advice: 'You need not do anything; a new conversation begins.'},
  upstream_stalled: {title: 'The assistant stopped answering.', advice: 'A new conversation usually helps.'},
  superseded: {title: 'The conversation goes on elsewhere.', advice: 'You can start a new one here.'},
  internal: {title: 'Something went wrong in the service.', advice: 'A new conversation usually helps.'},
  unspecified: {title: 'The conversation broke off.', advice: 'A new conversation usually helps.'},
  unreachable: {title: 'The service cannot be reached.', advice: 'Check your network.'},
  busy: {title: 'The service takes no new conversations right now.', advice: 'It is full or being updated; usually this is short.'},
  not_admitted: {title: 'This link opens no conversation here.', advice: 'It may have expired. Ask whoever gave it to you for a new one.'},
  timeout: {title: 'The service did not answer in time.', advice: 'Check your network.'},
  connection_lost: {title: 'The connection was lost.', advice: 'Check your network.'},
  slow_uplink: {title: 'Your connection is too slow to carry your voice.', advice: 'Check your network.'},

  microphone_denied: {title: 'The microphone is not allowed.', advice: 'Allow it for this page: in the address bar, open the site settings, set Microphone to Allow, then try again.'},
  microphone_none: {title: 'No microphone was found.', advice: 'Connect one, or choose one in the system settings, then try again.'},
  microphone_busy: {title: 'The microphone is used by another program.', advice: 'Close the other program or call, then try again.'},
  microphone_insecure: {title: 'The browser gives no microphone to this address.', advice: 'Open the page with https://, or on this machine itself as localhost.'},
  microphone_unsupported: {title: 'This browser cannot give the voice in the form that is needed.', advice: 'Use a current Chrome, Edge or Safari.'},
  microphone_unloaded: {title: 'A part of this page could not be loaded.', advice: 'Check your network, then try again.'},
  microphone_lost: {title: 'The microphone is gone.', advice: 'Connect it again, then try again.'},
  microphone_unknown: {title: 'The microphone could not be opened.', advice: 'Reload the page and try again; another browser may help.'},
};

// What to expect of an announced end, and how long it still takes; undefined: none was announced.
export function drainTexts(state) {
  if (!state.drain) {
    return undefined;
  }
  return {text: `The service is being updated. ${whatEnds(state)}`, clock: clockText(state.drain.seconds)};
}

function whatEnds(state) {
  if (isAfterInterview(state)) {
    return 'This connection ends soon; your report does not depend on it.';
  }
  return isInterview(state) && state.greeted ? 'The interview ends soon: finish it now to get a report.' : 'This conversation ends soon.';
}

function clockText(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

export function noticeText({notice, said}) {
  return notice === 'serverSaid' ? said : kNotices[notice] ?? '';
}

// What is worth saying and stops nothing.
export const kNotices = {
  newConversation: 'A new conversation was started. The earlier one is kept here to read; the assistant does not remember it.',
  holdToSpeak: 'Hold the button down while you speak.',
  turnLongest: 'That was a minute: what you said is on its way. Press again to go on.',
  modeFixed: 'This conversation allows only this way of talking.',
  answerFailed: 'The assistant could not answer. Please say it again.',
  answerRateLimited: 'The assistant has too much to do. Please wait a moment, then say it again.',
  answerFiltered: 'The assistant may not say the rest of this answer.',
  answerCut: 'The answer became too long and was cut.',
  answerTooLong: 'The answer is too long to be played in full; its words are below.',
  slowAnswer: 'The answer takes longer than usual.',
  endRefused: 'The interview could not be finished. Please try again.',
  offline: 'Your device has lost its network. The conversation goes on if it comes back soon.',
};
