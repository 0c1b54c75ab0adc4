// What the server is told about what was heard.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {interruptionEvents, unheardItems} from '../../gateway/web/truncation.js';

const part = (more) => ({itemId: 'a', contentIndex: 0, receivedMs: 5000, playedMs: 1234.9, complete: false, playedToEnd: false, ...more});
const truncate = (audio_end_ms, more = {}) => ({type: 'conversation.item.truncate', item_id: 'a', content_index: 0, audio_end_ms, ...more});
const kDelete = {type: 'conversation.item.delete', item_id: 'a'};
const eventsOf = (more) => interruptionEvents({responseId: null, parts: [part(more)]});

test('an answer is cut where it was heard, in whole milliseconds', () => assert.deepEqual(eventsOf({}), [truncate(1234)]));
test('never beyond what was received', () => assert.deepEqual(eventsOf({playedMs: 9000}), [truncate(5000)]));
test('all that came was heard, but more was to come: cut there', () => assert.deepEqual(eventsOf({playedMs: 5000, playedToEnd: true}), [truncate(5000)]));
test('heard to its end: nothing is cut', () => assert.deepEqual(eventsOf({playedMs: 4980, playedToEnd: true, complete: true}), []));
test('complete, but not heard to its end: cut', () => assert.deepEqual(eventsOf({complete: true}), [truncate(1234)]));
for (const playedMs of [0, 0.9, -40]) {
  test(`${playedMs} ms heard: the item goes`, () => assert.deepEqual(eventsOf({playedMs}), [kDelete]));
}
test('the second content part is named', () => assert.deepEqual(eventsOf({contentIndex: 1}), [truncate(1234, {content_index: 1})]));

test('an open response is cancelled by its name, before anything else', () => {
  const events = interruptionEvents({responseId: 'r', parts: [part({}), part({itemId: 'b', playedMs: 0})]});
  assert.deepEqual(events, [{type: 'response.cancel', response_id: 'r'}, truncate(1234), {type: 'conversation.item.delete', item_id: 'b'}]);
  assert.deepEqual(interruptionEvents({responseId: null, parts: []}), []);
});

test('items of an interrupted response that nobody heard or read go', () => {
  const output = [
    {id: 'heard', type: 'message', content: []}, {id: 'unheard', type: 'message', content: [{type: 'output_audio'}]}, {id: 'empty', type: 'message'},
    {id: 'call', type: 'function_call'}, {id: 'read', type: 'message', content: [{type: 'output_text', text: 'x'}]},
  ];
  assert.deepEqual(unheardItems({output}, new Set(['heard'])).map((event) => event.item_id), ['unheard', 'empty']);
  assert.deepEqual(unheardItems({}, new Set()), []);
});
