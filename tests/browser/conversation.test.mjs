// The page's side of a conversation against a connection and a loudspeaker of paper.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {Conversation} from '../../gateway/web/conversation.js';

const kFrame = new Int16Array(960);  // 40 ms.

class Fixture {
  constructor({mode = 'push', serverMode = null} = {}) {
    this.sent = [];
    this.audio = 0;
    this.changes = [];
    this.words = [];
    this.log = [];
    this.under = [];  // What a flush finds.
    this.heard = new Set();
    const playback = {
      add: (audio) => this.log.push(`play ${audio.itemId}`), complete: (item) => this.log.push(`complete ${item}`),
      completeResponse: (id) => this.log.push(`complete all of ${id}`), heardItems: () => this.heard,
      flush: async () => this.under.splice(0),
    };
    this.conversation = new Conversation({
      connection: {send: (event) => this.sent.push(event), sendAudio: () => (this.audio += 1)}, playback, mode,
      on: {
        ready: () => this.log.push('ready'), session: () => {}, modeRefused: (refused) => this.log.push(`mode ${refused}`),
        words: (event) => this.words.push(event.type), change: (event) => this.changes.push(event),
      },
    });
    const session = {audio: {input: {turn_detection: serverMode}}};
    this.receive({type: 'session.created', session}, {type: 'voicebridge.session.ready', session_id: 's', access_token: 't'});
  }

  static ready(options) {
    const fixture = new Fixture(options);
    fixture.receive({type: 'session.updated', session: {audio: {input: {turn_detection: options?.mode === 'free' ? {type: 'server_vad'} : null}}}});
    fixture.sent.length = 0;
    return fixture;
  }

  receive(...events) {
    events.forEach((event) => this.conversation.receive(event));
  }

  speak(frames) {
    for (let i = 0; i < frames; ++i) {
      this.conversation.sendAudio(kFrame);
    }
  }

  types() {
    return this.sent.map((event) => event.type);
  }

  changed() {
    return this.changes.map((event) => event.type);
  }
}

const created = (id) => ({type: 'response.created', response: {id}});
const done = (id, status, output = []) => ({type: 'response.done', response: {id, status, output}});
const settled = () => new Promise((resolve) => setImmediate(resolve));
const kPart = {itemId: 'a1', contentIndex: 0, responseId: 'r1', receivedMs: 4000, playedMs: 700, complete: false, playedToEnd: false};

test('it says how turns are found before anything else, and is ready when that is confirmed', () => {
  const fixture = new Fixture();
  assert.equal(fixture.sent[0].session.audio.input.turn_detection, null);
  assert.deepEqual(fixture.log, []);
  fixture.speak(3);
  assert.equal(fixture.audio, 0, 'no audio before');
  fixture.receive({type: 'session.updated', session: {}});
  assert.deepEqual(fixture.log, ['ready']);
  assert.equal(new Fixture({mode: 'free'}).sent[0].session.audio.input.turn_detection.type, 'server_vad');
});

test('a profile that locks the way of talking is obeyed', () => {
  const fixture = new Fixture({mode: 'free'});
  fixture.receive({type: 'error', error: {event_id: fixture.sent[0].event_id, code: 'locked'}});
  assert.deepEqual(fixture.log, ['mode push', 'ready']);
});

test('press, speak, release: audio, commit, response.create', () => {
  const fixture = Fixture.ready();
  fixture.speak(2);
  fixture.conversation.press();
  fixture.speak(5);
  assert.equal(fixture.conversation.release(), true);
  fixture.speak(2);
  assert.equal(fixture.audio, 5, 'audio only while pressed');
  assert.deepEqual(fixture.types(), ['input_audio_buffer.commit', 'response.create']);
});

test('less than 100 ms is cleared, not committed', () => {
  const fixture = Fixture.ready();
  fixture.conversation.press();
  fixture.speak(2);
  assert.equal(fixture.conversation.release(), false);
  assert.deepEqual(fixture.types(), ['input_audio_buffer.clear']);
});

test('a press into an answer cancels it, cuts it where it was heard, and drops what is late', async () => {
  const fixture = Fixture.ready();
  fixture.receive(created('r1'));
  fixture.conversation.receiveAudio({itemId: 'a1', responseId: 'r1'});
  fixture.under = [kPart];
  fixture.conversation.press();
  fixture.conversation.receiveAudio({itemId: 'a1', responseId: 'r1'});
  fixture.receive({type: 'response.output_audio_transcript.delta', response_id: 'r1', item_id: 'a1', delta: 'late'});
  await settled();
  assert.deepEqual(fixture.sent, [
    {type: 'response.cancel', response_id: 'r1'}, {type: 'conversation.item.truncate', item_id: 'a1', content_index: 0, audio_end_ms: 700},
  ]);
  assert.deepEqual(fixture.log.filter((line) => line.startsWith('play')), ['play a1'], 'late audio is dropped');
  assert.ok(!fixture.words.includes('response.output_audio_transcript.delta'), 'late words are dropped');
});

test('an answer that is complete and still sounds is cut without a cancel', async () => {
  const fixture = Fixture.ready();
  fixture.receive(created('r1'), done('r1', 'completed'));
  fixture.under = [{...kPart, complete: true}];
  fixture.conversation.press();
  await settled();
  assert.deepEqual(fixture.types(), ['conversation.item.truncate']);
});

test('with nothing under way a press sends nothing', async () => {
  const fixture = Fixture.ready();
  fixture.receive(created('r1'), done('r1', 'completed'));
  fixture.conversation.press();
  await settled();
  assert.deepEqual(fixture.sent, []);
});

test('answers that were asked for and are not wanted any more are cancelled when they come', async () => {
  const fixture = Fixture.ready();
  for (let i = 0; i < 3; ++i) {
    fixture.conversation.press();
    fixture.speak(5);
    fixture.conversation.release();
  }
  fixture.sent.length = 0;
  for (const id of ['r1', 'r2']) {
    fixture.receive(created(id), done(id, 'cancelled'));
  }
  fixture.receive(created('r3'));
  await settled();
  assert.deepEqual(fixture.sent.map((event) => event.response_id), ['r1', 'r2'], 'the last one is wanted');
  assert.equal(fixture.changed().at(-1), 'responseCreated');
});

test('an item of a cancelled answer that was never heard is deleted', async () => {
  const fixture = Fixture.ready();
  fixture.receive(created('r1'));
  fixture.heard.add('a0');
  fixture.under = [kPart];
  fixture.conversation.press();
  fixture.receive(done('r1', 'cancelled', [{id: 'a0', type: 'message'}, {id: 'a1', type: 'message'}, {id: 'a2', type: 'message'}]));
  await settled();
  assert.deepEqual(fixture.sent.filter((event) => event.type === 'conversation.item.delete').map((event) => event.item_id), ['a2']);
});

test('hands-free: the server cancels by itself, the page silences and cuts', async () => {
  const fixture = Fixture.ready({mode: 'free'});
  fixture.speak(3);
  assert.equal(fixture.audio, 3, 'the microphone is open');
  fixture.receive(created('r1'));
  fixture.under = [kPart];
  fixture.receive({type: 'input_audio_buffer.speech_started', item_id: 'u2'});
  fixture.conversation.receiveAudio({itemId: 'a1', responseId: 'r1'});
  await settled();
  assert.deepEqual(fixture.types(), ['conversation.item.truncate']);
  assert.ok(!fixture.log.includes('play a1'));
});

test('a refused turn is not waited for', () => {
  const fixture = Fixture.ready();
  fixture.conversation.press();
  fixture.speak(5);
  fixture.conversation.release();
  fixture.receive({type: 'error', error: {event_id: fixture.sent.at(-1).event_id, code: 'x'}});
  assert.deepEqual(fixture.changed().slice(-2), ['answerAbandoned', 'noticed']);
});

test('answers that fail or are cut short are told apart', () => {
  const failures = [
    [{status: 'failed', status_details: {error: {code: 'rate_limit_exceeded'}}}, 'answerRateLimited'], [{status: 'failed', status_details: null}, 'answerFailed'],
    [{status: 'incomplete', status_details: {reason: 'content_filter'}}, 'answerFiltered'], [{status: 'incomplete', status_details: {reason: 'max_output_tokens'}}, 'answerCut'],
    [{status: 'cancelled'}, undefined], [{status: 'completed'}, undefined],
  ];
  for (const [response, failure] of failures) {
    const fixture = Fixture.ready();
    fixture.receive(created('r'), {type: 'response.done', response: {id: 'r', output: [], ...response}});
    assert.equal(fixture.changes.at(-1).failure, failure);
  }
});

test('a change of the way of talking drops what is in the buffer', () => {
  const fixture = Fixture.ready();
  fixture.conversation.setMode('free');
  assert.deepEqual(fixture.types(), ['input_audio_buffer.clear', 'session.update']);
});

test('events of unknown types are passed over', () => {
  const fixture = Fixture.ready();
  fixture.receive({type: 'toString'}, {type: 'conversation.created'});
  assert.deepEqual(fixture.sent, []);
});
