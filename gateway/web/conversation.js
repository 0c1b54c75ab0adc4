// One conversation over one connection: what is sent when, and what the server's events mean.
//
// Interrupting takes three steps: what still sounds is silenced, the response that is open is cancelled and its
// late audio dropped, and the server is told how much of it was heard (truncation.js).
import {kSamplesPerMs} from './protocol.js';
import {interruptionEvents, unheardItems} from './truncation.js';

const kTurnMinMs = 100;  // The service refuses to take less as a turn.
// Ids of client events: an error names the event that it answers.
const kModeUpdateId = 'page_mode';
const kTurnId = 'page_turn';
const kFinishId = 'page_finish';
const kRetryId = 'page_retry';
const kVoidedMax = 16;
const kTurnDetection = {
  push: null,
  free: {type: 'server_vad', threshold: 0.5, prefix_padding_ms: 300, silence_duration_ms: 500, create_response: true, interrupt_response: true},
};

export class Conversation {
  #connection;
  #playback;
  #on;
  #mode;
  #serverMode = 'push';
  #ready = false;
  #over = false;
  #response = null;         // The id of the open one.
  #requested = 0;           // Responses that were asked for and are not there yet.
  #unwanted = 0;            // So many of them, the first ones, are to be cancelled as soon as they are there.
  #voided = new Set();      // Responses of which nothing more is heard or read.
  #settled = new Set();     // Items of which the server knows what was heard.
  #settling = Promise.resolve();
  #turnSamples = 0;
  #pushing = false;
  #reported = false;        // Its report is there; what is spoken now is the report's summary, which is shown with it.
  #spokenReport = new Set();  // Ids of the responses and items that do that.

  // `on`: {ready(), session(event), modeRefused(mode), words(event), interview(event), draining(ms), change(state event)}.
  constructor({connection, playback, mode, on}) {
    this.#connection = connection;
    this.#playback = playback;
    this.#mode = mode;
    this.#on = on;
  }

  // --- what the user does ---

  setMode(mode) {
    this.#mode = mode;
    this.#pushing = false;
    if (this.#ready) {
      this.#connection.send({type: 'input_audio_buffer.clear'});
      this.#sendMode();
    }
  }

  // Push-to-talk. A turn that begins while an answer is under way interrupts it.
  press() {
    this.#pushing = true;
    this.#turnSamples = 0;
    this.#interrupt({cancel: true});
  }

  // False: that was too short to be a turn.
  release() {
    this.#pushing = false;
    if (this.#turnSamples / kSamplesPerMs < kTurnMinMs) {
      this.#connection.send({type: 'input_audio_buffer.clear'});
      return false;
    }
    this.#connection.send({type: 'input_audio_buffer.commit'});
    this.#connection.send({type: 'response.create', event_id: kTurnId});
    this.#requested += 1;
    return true;
  }

  sendAudio(pcm) {
    if (this.#ready && (this.#pushing || this.#mode === 'free')) {
      this.#turnSamples += pcm.length;
      this.#connection.sendAudio(pcm);
    }
  }

  // Hands-free, before the server has heard a pause: what was said is kept as a turn.
  endTurn() {
    this.#connection.send({type: 'input_audio_buffer.commit'});
  }

  // The interview ends and is assessed.
  finish() {
    this.#connection.send({type: 'voicebridge.assessment.request', event_id: kFinishId});
  }

  retryAssessment() {
    this.#connection.send({type: 'voicebridge.assessment.retry', event_id: kRetryId});
  }

  // No more of it is wanted: the connection is gone or is about to be closed.
  end() {
    this.#over = true;
    this.#playback.flush();
  }

  // --- what the server says ---

  receiveAudio(audio) {
    if (!this.#voided.has(audio.responseId)) {
      this.#playback.add(audio);
    }
  }

  receive(event) {
    if (Object.hasOwn(this.#handlers, event.type)) {
      this.#handlers[event.type](event);
    }
    if (event.type === 'voicebridge.keepalive' || event.type.startsWith('voicebridge.assessment.')) {
      this.#on.interview(event);
    }
    if (!this.#voided.has(event.response_id) && !this.#isSpokenReport(event)) {
      this.#on.words(event);
    }
  }

  #handlers = {
    'session.created': ({session}) => this.#learnMode(session),
    'voicebridge.session.ready': (event) => {
      this.#on.session(event);
      this.#sendMode();
    },
    'session.updated': ({session}) => {
      this.#learnMode(session);
      this.#becomeReady();
    },
    'voicebridge.session.draining': ({time_left_ms: ms}) => this.#on.draining(ms),
    'voicebridge.assessment.started': () => {
      this.#pushing = false;
    },
    'voicebridge.assessment.progress': () => {
      this.#pushing = false;
    },
    'voicebridge.assessment.completed': () => {
      this.#reported = true;
    },
    'error': ({error}) => this.#refused(error),
    'input_audio_buffer.speech_started': () => {
      this.#interrupt({cancel: false});  // The server cancels by itself.
      this.#on.change({type: 'speechStarted'});
    },
    'input_audio_buffer.speech_stopped': () => this.#on.change({type: 'speechStopped'}),
    'response.created': ({response}) => this.#responseCreated(response),
    'response.output_item.added': ({response_id: responseId, item}) => {
      if (this.#spokenReport.has(responseId)) {
        this.#spokenReport.add(item.id);
      }
    },
    'response.output_audio.done': (event) => this.#playback.complete(event.item_id, event.content_index),
    'response.done': ({response}) => this.#responseDone(response),
  };

  #sendMode() {
    const session = {type: 'realtime', audio: {input: {turn_detection: kTurnDetection[this.#mode]}}};
    this.#connection.send({type: 'session.update', event_id: kModeUpdateId, session});
  }

  #learnMode(session) {
    this.#serverMode = session.audio?.input?.turn_detection ? 'free' : 'push';
  }

  #refused({event_id: clientEventId, code, message}) {
    if (clientEventId === kModeUpdateId) {
      this.#modeRefused();
    } else if (clientEventId === kFinishId) {
      this.#on.change({type: 'endRefused'});
    } else if (clientEventId === kRetryId) {
      this.#on.change({type: 'assessmentSilent'});
    } else if (clientEventId === kTurnId) {
      this.#requested = Math.max(0, this.#requested - 1);
      this.#unwanted = Math.min(this.#unwanted, this.#requested);
      this.#on.change({type: 'answerAbandoned'});
      this.#on.change({type: 'noticed', notice: 'answerFailed'});
    }
    if (code === 'input_not_accepted' && typeof message === 'string') {
      this.#on.change({type: 'serverSaid', text: message});
    }
  }

  // One text, not two: the summary stands in the report already.
  #isSpokenReport(event) {
    return [event.response_id, event.item_id, event.item?.id].some((id) => id !== undefined && this.#spokenReport.has(id));
  }

  // The profile has locked how turns are found; so be it.
  #modeRefused() {
    this.#mode = this.#serverMode;
    this.#on.modeRefused(this.#serverMode);
    this.#becomeReady();
  }

  #becomeReady() {
    if (!this.#ready) {
      this.#ready = true;
      this.#on.ready();
    }
  }

  #responseCreated({id}) {
    this.#response = id;
    if (this.#reported) {
      this.#spokenReport.add(id);
    }
    this.#requested = Math.max(0, this.#requested - 1);
    if (this.#unwanted > 0) {
      this.#unwanted -= 1;
      this.#cancel();
      return;
    }
    this.#on.change({type: 'responseCreated'});
  }

  #responseDone(response) {
    if (this.#response === response.id) {
      this.#response = null;
    }
    this.#playback.completeResponse(response.id);
    if (this.#voided.has(response.id)) {
      this.#forgetUnheard(response);
    } else {
      this.#on.change({type: 'responseDone', failure: failureOf(response)});
    }
  }

  #interrupt({cancel}) {
    if (cancel) {
      this.#unwanted = this.#requested;
      this.#cancel();
    } else if (this.#response) {
      this.#void(this.#response);
    }
    this.#on.change({type: 'answerAbandoned'});
    this.#settling = this.#settle();
  }

  #cancel() {
    if (this.#response) {
      this.#void(this.#response);
      this.#sendAll(interruptionEvents({responseId: this.#response, parts: []}));
    }
  }

  async #settle() {
    const parts = await this.#playback.flush();
    for (const {itemId, responseId} of parts) {
      this.#settled.add(itemId);
      this.#void(responseId);
    }
    this.#sendAll(interruptionEvents({responseId: null, parts}));
  }

  async #forgetUnheard(response) {
    await this.#settling;
    const known = new Set([...this.#settled, ...this.#playback.heardItems()]);
    this.#sendAll(unheardItems(response, known));
  }

  #void(responseId) {
    this.#voided.add(responseId);
    for (const set of [this.#voided, this.#settled]) {
      while (set.size > kVoidedMax) {
        set.delete(set.values().next().value);
      }
    }
  }

  #sendAll(events) {
    if (!this.#over) {
      events.forEach((event) => this.#connection.send(event));
    }
  }
}

// The name of a notice in messages.js, or undefined for an answer that is whole or was interrupted.
function failureOf({status, status_details: details}) {
  if (status === 'failed') {
    return /rate_limit/.test(details?.error?.code ?? '') ? 'answerRateLimited' : 'answerFailed';
  }
  if (status === 'incomplete') {
    return details?.reason === 'content_filter' ? 'answerFiltered' : 'answerCut';
  }
  return undefined;
}
