// An interview from the wish to end it to its report: the question whether to finish, the bounds of each wait,
// asking by HTTP where there is no connection, and what is shown meanwhile.
import {assessedSessions, keepAssessed} from './credentials.js';
import {isAsking} from './interview-state.js';
import {kInterviewTexts} from './interview-messages.js';
import {InterviewView} from './interview-view.js';
import {askForReport, ReportPoll, retryAssessment} from './report-client.js';
import {ReportView} from './report-view.js';
import {isConversing} from './state.js';

const kEndMaxMs = 10000;      // The server ends an interview at once.
const kSilenceMaxMs = 20000;  // It gives a sign of life every three seconds.
const kSummaryMaxMs = 75000;  // It may take a minute to begin speaking.

export class Interview {
  #change;
  #on;
  #storage;
  #session;   // Of the connection that is open: its token.
  #assessed;  // Of which a report can be asked for.
  #view;
  #report;
  #poll;
  #dialog;
  #bound;     // The timer of the present wait.

  // `on`: {change(state event), finish(), retry(), startAnew()}; the two in the middle tell the server.
  constructor({document, storage, on}) {
    const byId = (id) => document.getElementById(id);
    this.#change = on.change;
    this.#on = on;
    this.#storage = storage;
    this.#view = new InterviewView(byId('assessment'), {retry: () => this.#change({type: 'retryAsked'}), startAnew: on.startAnew});
    this.#report = new ReportView(byId('report'), {hush: () => this.#change({type: 'hushed'}), startAnew: on.startAnew});
    this.#poll = new ReportPoll({on: {
      answered: ({id, state, content}) => this.#change({type: 'answered', id, state, content}),
      gaveUp: (name) => this.#change({type: 'askingFailed', name}),
    }});
    this.#dialog = byId('finish-dialog');
    for (const each of document.querySelectorAll('[data-interview-text]')) {
      each.textContent = kInterviewTexts[each.dataset.interviewText];
    }
    byId('finish').addEventListener('click', () => this.#dialog.showModal());
    byId('finish-yes').addEventListener('click', () => this.#finish());
    byId('finish-no').addEventListener('click', () => this.#dialog.close());
    byId('last-report').addEventListener('click', () => this.#change({type: 'reportWanted'}));
  }

  // --- what happens ---

  // After a reload: the report that there was, or is being written.
  async lookBack() {
    for (const session of assessedSessions(this.#storage)) {
      const answer = await askForReport(session);
      if (answer.is === 'found') {
        this.#assessed ??= session;
        this.#change({type: 'remembered'});
        this.#change({type: 'answered', id: answer.id, state: answer.state, content: answer.content});
        return;
      }
      if (answer.is === 'unreachable' && session.at) {  // It was assessed, so it is worth asking on.
        this.#assessed ??= session;
        this.#change({type: 'reportWanted'});
        return;
      }
    }
  }

  began(token) {
    this.#session = token;
    this.#change({type: 'sessionBegan', profile: token.profile});
  }

  // An event of ours about the assessment.
  received(event, state) {
    if (isLiveWait(state)) {
      this.#expectNews();
    }
    switch (event.type) {
      case 'voicebridge.assessment.started':
        this.#change({type: 'assessmentStarted', id: event.assessment_id});
        break;
      case 'voicebridge.assessment.progress':
        this.#change({type: 'assessmentProgress', id: event.assessment_id, stage: event.stage, position: event.position, attempt: event.attempt});
        break;
      case 'voicebridge.assessment.completed':
        this.#change({type: 'assessmentCompleted', id: event.assessment_id, content: event.report, summary: textOf(event.summary)});
        break;
      case 'voicebridge.assessment.failed':
        this.#change({type: 'assessmentFailed', id: event.assessment_id, message: textOf(event.message), retryable: event.retryable !== false});
        break;
      default:
        break;
    }
  }

  // --- what follows from the state ---

  follow(before, state) {
    if (state.phase !== before.phase || state.ending !== before.ending || state.live !== before.live) {
      this.#enter(state);
    }
    if (isAsking(state) && !isAsking(before)) {
      const isRetry = before.phase === 'failed' && before.failure.retry === 'assess';
      this.#poll.start(this.#assessed, isRetry ? retryAssessment : undefined);
    } else if (!isAsking(state) && isAsking(before)) {
      this.#poll.stop();
    }
    if (state.phase === 'assessing' && before.phase === 'failed' && state.live) {
      this.#on.retry();
    }
  }

  show(state) {
    this.#view.show(state);
    this.#report.show(state, new Date(this.#assessed?.at ?? Date.now()));
  }

  // Once it is shown.
  focus(before, state) {
    if (state.phase !== before.phase && state.phase === 'report') {
      this.#report.focus();
    } else if (state.phase !== before.phase && (state.phase === 'assessing' || state.phase === 'failed')) {
      this.#view.focus();
    }
  }

  #enter(state) {
    clearTimeout(this.#bound);
    if (state.ending) {
      this.#bound = setTimeout(() => this.#change({type: 'endRefused'}), kEndMaxMs);
    } else if (isLiveWait(state)) {
      this.#expectNews();
    } else if (state.phase === 'report' && state.live) {
      this.#bound = setTimeout(() => this.#change({type: 'summaryLate'}), kSummaryMaxMs);
    }
    if (!isConversing(state)) {
      this.#dialog.close();
    }
    this.#remember(state);
  }

  #expectNews() {
    clearTimeout(this.#bound);
    this.#bound = setTimeout(() => this.#change({type: 'assessmentSilent'}), kSilenceMaxMs);
  }

  // What was found by asking is remembered already.
  #remember({phase, live}) {
    if (phase === 'ended' || phase === 'error') {
      this.#session = undefined;
    }
    const isOver = phase === 'assessing' || phase === 'failed' || (phase === 'report' && live);
    if (isOver && this.#session) {
      this.#assessed = {...this.#session, at: Date.now()};
      this.#session = undefined;
      keepAssessed(this.#assessed, this.#storage);
    }
  }

  // --- what the user does ---

  #finish() {
    this.#dialog.close();
    this.#change({type: 'endAsked'});
    this.#on.finish();
  }
}

function isLiveWait({phase, live}) {
  return phase === 'assessing' && live;
}

function textOf(value) {
  return typeof value === 'string' ? value : '';
}
