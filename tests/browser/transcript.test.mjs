// The words of a conversation: in item order, whenever they come.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {applyEvent, emptyTranscript, kEntriesMax, textOf, visibleEntries} from '../../gateway/web/transcript.js';

const apply = (...events) => events.reduce(applyEvent, emptyTranscript);
const shown = (entries) => visibleEntries(entries).map((entry) => `${entry.role}:${textOf(entry)}`);
const message = (id, role, more = {}) => ({id, type: 'message', role, status: 'in_progress', content: [], ...more});
const added = (item, previous = null) => ({type: 'conversation.item.added', previous_item_id: previous, item});
const committed = (item_id, previous_item_id = null) => ({type: 'input_audio_buffer.committed', item_id, previous_item_id});
const heard = (item_id, transcript) => ({type: 'conversation.item.input_audio_transcription.completed', item_id, content_index: 0, transcript});
const heardPart = (item_id, delta) => ({type: 'conversation.item.input_audio_transcription.delta', item_id, content_index: 0, delta});
const said = (item_id, delta, content_index = 0) => ({type: 'response.output_audio_transcript.delta', item_id, response_id: 'r', content_index, delta});
const saidAll = (item_id, transcript) => ({type: 'response.output_audio_transcript.done', item_id, content_index: 0, transcript});

test('words of the user that come after the answer stand before it', () => {
  const entries = apply(committed('u1'), added(message('u1', 'user')), added(message('a1', 'assistant'), 'u1'), said('a1', 'Hello '), saidAll('a1', 'Hello there.'),
                        heardPart('u1', 'Good'), heard('u1', 'Good morning'));
  assert.deepEqual(shown(entries), ['user:Good morning', 'assistant:Hello there.']);
});

test('items stand where previous_item_id puts them, in whatever order they are told', () => {
  const entries = apply(added(message('a', 'user', {content: [{type: 'input_text', text: 'one'}]})), added(message('c', 'user', {content: [{type: 'input_text', text: 'three'}]}), 'a'),
                        added(message('b', 'assistant', {content: [{type: 'output_text', text: 'two'}]}), 'a'), added(message('z', 'user', {content: [{type: 'input_text', text: 'zero'}]}), null));
  assert.deepEqual(shown(entries), ['user:zero', 'user:one', 'assistant:two', 'user:three']);
});

test('deltas before their item are kept, and the item is placed when it is told', () => {
  const entries = apply(committed('u1'), said('a1', 'Early '), committed('u2', 'a1'), added(message('a1', 'assistant'), 'u1'), said('a1', 'bird.'));
  assert.deepEqual(shown(entries), ['user:', 'assistant:Early bird.', 'user:']);
});

test('function calls are not shown, but keep their place in the order', () => {
  const entries = apply(committed('u1'), heard('u1', 'Weather?'), added({id: 'f1', type: 'function_call', name: 'x', call_id: 'c'}, 'u1'),
                        added({id: 'o1', type: 'function_call_output', call_id: 'c'}, 'f1'), added(message('a1', 'assistant'), 'o1'), saidAll('a1', 'Rain.'));
  assert.deepEqual(shown(entries), ['user:Weather?', 'assistant:Rain.']);
});

test('the final text replaces the deltas, and nothing is added to it', () => {
  const entries = apply(committed('u1'), heardPart('u1', 'gud'), heard('u1', 'Good.'), heardPart('u1', ' late'));
  assert.deepEqual(shown(entries), ['user:Good.']);
});

test('two utterances whose words arrive in turns stay apart', () => {
  const entries = apply(committed('u1'), committed('u2', 'u1'), heardPart('u1', 'Good '), heardPart('u2', 'And '), heardPart('u1', 'morning'), heardPart('u2', 'you?'));
  assert.deepEqual(shown(entries), ['user:Good morning', 'user:And you?']);
  assert.deepEqual(shown([heard('u2', 'And you?'), heard('u1', 'Good morning.')].reduce(applyEvent, entries)), ['user:Good morning.', 'user:And you?']);
});

test('two parts of one item stay apart', () => {
  assert.deepEqual(shown(apply(added(message('a1', 'assistant')), said('a1', 'second', 1), said('a1', 'first', 0))), ['assistant:first\nsecond']);
});

test('failed and empty transcriptions are told apart', () => {
  const entries = apply(committed('u1'), committed('u2', 'u1'), heard('u1', ''), {type: 'conversation.item.input_audio_transcription.failed', item_id: 'u2', content_index: 0, error: {}});
  assert.deepEqual(entries.map(({status}) => status), ['final', 'failed']);
});

test('deleted items go, truncated ones are marked, unknown ones do not appear', () => {
  const entries = apply(added(message('a1', 'assistant')), saidAll('a1', 'One.'), added(message('a2', 'assistant'), 'a1'), saidAll('a2', 'Two.'),
                        {type: 'conversation.item.truncated', item_id: 'a1', content_index: 0, audio_end_ms: 10}, {type: 'conversation.item.truncated', item_id: 'x'},
                        {type: 'conversation.item.deleted', item_id: 'a2'});
  assert.deepEqual(entries.map(({id, interrupted}) => [id, interrupted]), [['a1', true]]);
});

test('an utterance that is cleared before it is committed leaves nothing', () => {
  assert.deepEqual(apply({type: 'input_audio_buffer.speech_started', item_id: 'u1', audio_start_ms: 0}, {type: 'input_audio_buffer.cleared'}), []);
});

test('only the newest entries are kept', () => {
  let entries = emptyTranscript;
  for (let i = 0; i < kEntriesMax + 10; ++i) {
    entries = applyEvent(entries, committed(`u${i}`, i === 0 ? null : `u${i - 1}`));
  }
  assert.deepEqual([entries.length, entries.at(-1).id], [kEntriesMax, `u${kEntriesMax + 9}`]);
});

test('events of no concern change nothing', () => {
  const entries = apply(committed('u1'));
  assert.equal(applyEvent(entries, {type: 'rate_limits.updated'}), entries);
  assert.equal(applyEvent(entries, {type: 'toString'}), entries);
});
