// Puts the page together: the state and what follows from it, the microphone, the loudspeaker, one conversation
// after the other.
import {Audio} from './audio.js';
import {Connection, gatewayUrl, pauseMs} from './connection.js';
import {Conversation} from './conversation.js';
import {keepToken, tabStorage, takeKey, tokenOf} from './credentials.js';
import {DrainClock} from './drain.js';
import {Interview} from './interview.js';
import {isAfterInterview} from './interview-state.js';
import {Meter} from './meter.js';
import {failureKind} from './microphone.js';
import {initialState, isAtRest, isConversing, reduce} from './state.js';
import {TalkButton} from './talk-button.js';
import {TranscriptView} from './transcript-view.js';
import {actionOf, View} from './view.js';

const kSlowAnswerMs = 15000;
const kTurnMaxMs = 60000;  // A button that is held for longer is stuck, or forgotten.

class App {
  #state = initialState;
  #options = new URLSearchParams(location.search);
  #key = takeKey(location, history);
  #view = new View(document);
  #meter = new Meter(document.getElementById('meter'), document.documentElement);
  #transcripts = new TranscriptView({
    root: document.getElementById('conversations'), empty: document.getElementById('empty'), announcer: document.getElementById('announcer'),
  });
  #storage = tabStorage();
  #interview = new Interview({
    document, storage: this.#storage,
    on: {
      change: (event) => this.#change(event),
      finish: () => this.#conversation?.finish(),
      retry: () => this.#conversation?.retryAssessment(),
      startAnew: () => this.#startAnew(),
    },
  });
  #talk;
  #starts = 0;  // Tells whether what was awaited is still wanted.
  #sound = new Audio({processing: this.#options.get('processing') !== 'off'});
  #audio;       // What of it is open while a conversation is wanted.
  #connection;
  #conversation;
  #retry;       // The timer of the next try.
  #drain = new DrainClock({on: {
    tick: (seconds) => this.#change({type: 'drainTold', seconds}),
    lastWords: () => this.#lastWords(),
    calledOff: () => this.#calledOff(),
  }});
  #presses = 0;
  #longest;     // The timer of the turn that is being spoken.
  #slowAnswer;

  constructor() {
    this.#talk = new TalkButton(document.getElementById('talk'), {
      isHold: () => isConversing(this.#state) && this.#state.mode === 'push' && actionOf(this.#state) !== 'wait',
      press: () => this.#press(),
      release: () => this.#release(),
      click: () => this.#act(),
    });
    document.getElementById('end').addEventListener('click', () => this.#stop());
    for (const input of document.querySelectorAll('input[name=mode]')) {
      input.addEventListener('change', () => this.#chooseMode(input.value));
    }
    window.addEventListener('online', () => this.#tryNow());
    window.addEventListener('offline', () => this.#change({type: 'noticed', notice: 'offline'}));
    window.addEventListener('hashchange', () => {
      this.#key = takeKey(location, history) ?? this.#key;
    });
    if (this.#options.get('mode') === 'hands-free') {
      this.#change({type: 'modeChosen', mode: 'free'});
    }
    this.#view.show(this.#state);
    this.#interview.lookBack();
  }

  // --- the state ---

  #change(event) {
    const before = this.#state;
    this.#state = reduce(before, event);
    if (this.#state.phase !== before.phase || this.#state.live !== before.live) {
      this.#enterPhase();
    }
    this.#interview.follow(before, this.#state);
    this.#view.show(this.#state);
    this.#interview.show(this.#state);
    this.#interview.focus(before, this.#state);
  }

  #enterPhase() {
    clearTimeout(this.#slowAnswer);
    if (this.#state.phase === 'thinking') {
      this.#slowAnswer = setTimeout(() => this.#change({type: 'noticed', notice: 'slowAnswer'}), kSlowAnswerMs);
    }
    if (isAfterInterview(this.#state)) {
      this.#audio?.closeMicrophone();
    }
    if (isAtRest(this.#state)) {
      this.#letAllGo();
    }
  }

  // --- what the user does ---

  #act() {
    switch (actionOf(this.#state)) {
      case 'start':
      case 'again':
      case 'retry':
        this.#start();
        break;
      case 'mute':
      case 'unmute':
        this.#change({type: 'muteToggled'});
        this.#audio.microphone.setMuted(this.#state.muted);
        break;
      default:
        break;
    }
  }

  async #start() {
    this.#change({type: 'startAsked'});
    const start = ++this.#starts;
    try {
      const audio = await this.#openAudio();
      if (start !== this.#starts) {
        audio.close();
        return;
      }
      this.#audio = audio;
      this.#change({type: 'microphoneReady'});
      this.#connect();
    } catch (error) {
      if (start === this.#starts) {
        this.#change({type: 'microphoneFailed', kind: failureKind(error)});
      }
    }
  }

  // From a report or its failure, whatever is still spoken.
  #startAnew() {
    this.#change({type: 'hushed'});
    this.#start();
    document.getElementById('talk').focus();
  }

  #stop() {
    this.#change({type: 'stopped'});
    document.getElementById('talk').focus();
  }

  #chooseMode(mode) {
    this.#change({type: 'modeChosen', mode});
    this.#conversation?.setMode(mode);
    this.#audio?.microphone.setMuted(false);
    this.#listen();
  }

  #press() {
    this.#presses += 1;
    this.#audio.wake();
    this.#conversation.press();
    this.#audio.microphone.startFrames();
    this.#change({type: 'pressed'});
    this.#longest = setTimeout(() => this.#endLongest(), kTurnMaxMs);
  }

  #endLongest() {
    this.#talk.letGo();
    this.#change({type: 'noticed', notice: 'turnLongest'});
  }

  // The turn ends with its last samples, which the audio thread still has. A press meanwhile prolongs it.
  async #release() {
    clearTimeout(this.#longest);
    const press = this.#presses;
    const conversation = this.#conversation;
    await this.#audio?.microphone.stopFrames();
    if (conversation && conversation === this.#conversation && press === this.#presses && this.#state.hearing) {
      const sent = conversation.release();
      this.#change({type: 'released', tooShort: !sent});
    }
  }

  // --- audio ---

  #openAudio() {
    return this.#sound.open({
      playback: {
        started: () => this.#change({type: 'playbackStarted'}),
        stopped: () => this.#change({type: 'playbackStopped'}),
        level: (level) => this.#meter.show('output', level),
        overflow: () => this.#change({type: 'noticed', notice: 'answerTooLong'}),
      },
      microphone: {
        frame: (pcm) => this.#conversation?.sendAudio(pcm),
        level: (level) => this.#meter.show('input', level),
        lost: () => this.#change({type: 'microphoneFailed', kind: 'lost'}),
      },
    });
  }

  // Hands-free, the microphone is open all the time; else only while the button is held.
  #listen() {
    if (!this.#audio) {
      return;
    }
    if (isConversing(this.#state) && this.#state.mode === 'free' && !this.#state.drain?.isLast) {
      this.#audio.microphone.startFrames();
    } else {
      this.#audio.microphone.stopFrames();
    }
  }

  // --- a drain ---

  // The end is near: a turn that is being spoken is handed over as it is.
  async #lastWords() {
    const conversation = this.#conversation;
    const isSpeaking = this.#state.mode === 'free' && this.#state.hearing;
    this.#talk.letGo();
    this.#change({type: 'lastWords'});
    await this.#audio?.microphone.stopFrames();
    if (isSpeaking && conversation === this.#conversation) {
      conversation.endTurn();
    }
  }

  #calledOff() {
    this.#change({type: 'drainCalledOff'});
    this.#listen();
  }

  // --- connections ---

  #connect() {
    const connection = new Connection({
      url: gatewayUrl(location, this.#options.get('profile')),
      key: this.#key,
      on: {
        event: (event) => this.#conversation.receive(event),
        audio: (audio) => this.#conversation.receiveAudio(audio),
        closed: (how) => this.#closed(how),
      },
    });
    this.#connection = connection;
    this.#conversation = new Conversation({
      connection, playback: this.#audio.playback, mode: this.#state.mode,
      on: {
        session: (event) => {
          keepToken(tokenOf(event), this.#storage);
          this.#interview.began(tokenOf(event));
          this.#transcripts.begin();
        },
        ready: () => this.#ready(),
        modeRefused: (mode) => this.#change({type: 'modeRefused', mode}),
        words: (event) => this.#transcripts.apply(event),
        interview: (event) => this.#interview.received(event, this.#state),
        draining: (ms) => this.#drain.announce(ms),
        change: (event) => this.#change(event),
      },
    });
  }

  #ready() {
    this.#connection.markReady();
    this.#change({type: 'ready'});
    this.#listen();
  }

  #closed(how) {
    this.#letConversationGo();
    this.#change({type: 'closed', ...how});
    if (this.#state.step === 'waiting') {
      this.#retry = setTimeout(() => this.#tryNow(), pauseMs(this.#state.attempt, how.refusal?.retryAfterMs));
    }
  }

  #tryNow() {
    if (this.#retry) {
      this.#endRetry();
      this.#change({type: 'retrying'});
      this.#connect();
    }
  }

  #endRetry() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #letConversationGo() {
    this.#drain.stop();
    this.#talk.letGo();
    this.#conversation?.end();
    this.#connection?.close();
    this.#conversation = undefined;
    this.#connection = undefined;
    this.#audio?.microphone.setMuted(false);
    this.#listen();
  }

  #letAllGo() {
    this.#starts += 1;
    this.#endRetry();
    this.#letConversationGo();
    this.#audio?.close();
    this.#audio = undefined;
    this.#sound.rest();
    this.#meter.show('input', 0);
    this.#meter.show('output', 0);
  }
}

new App();
