// The conversation's words in item order, as a pure function of the server's events.

// One entry per item, whatever its kind, because items are placed after each other by id:
// {id, role: user|assistant|other, texts: [by content index], status: pending|partial|final|failed, interrupted}
export const emptyTranscript = Object.freeze([]);

// Of the oldest, only that many are kept; their audio and text are long at the server.
export const kEntriesMax = 500;

export function applyEvent(entries, event) {
  const apply = Object.hasOwn(kEvents, event.type) ? kEvents[event.type] : undefined;
  const next = apply ? apply(entries, event) : entries;
  return next.length > kEntriesMax ? next.slice(next.length - kEntriesMax) : next;
}

export function textOf(entry) {
  return entry.texts.filter(Boolean).join('\n').trim();
}

// What people are shown: messages that say something, or will.
export function visibleEntries(entries) {
  return entries.filter((entry) => entry.role !== 'other' && (entry.role === 'user' || textOf(entry) !== ''));
}

const kEvents = {
  'input_audio_buffer.speech_started': (entries, {item_id}) => edit(entries, item_id, {role: 'user'}),
  'input_audio_buffer.committed': (entries, event) => place(entries, event.item_id, event.previous_item_id, {role: 'user'}),
  'input_audio_buffer.cleared': (entries) => entries.filter((entry) => entry.placed || entry.role !== 'user'),
  'conversation.item.added': placeItem,
  'conversation.item.done': placeItem,
  'conversation.item.deleted': (entries, {item_id}) => entries.filter((entry) => entry.id !== item_id),
  'conversation.item.truncated': (entries, {item_id}) => (has(entries, item_id) ? edit(entries, item_id, {interrupted: true}) : entries),

  'conversation.item.input_audio_transcription.delta': (entries, event) => append(entries, event, 'user'),
  'conversation.item.input_audio_transcription.completed': (entries, event) => settle(entries, event, 'user', event.transcript),
  'conversation.item.input_audio_transcription.failed': (entries, {item_id}) => edit(entries, item_id, {role: 'user', status: 'failed'}),

  'response.output_audio_transcript.delta': (entries, event) => append(entries, event, 'assistant'),
  'response.output_audio_transcript.done': (entries, event) => settle(entries, event, 'assistant', event.transcript),
  'response.output_text.delta': (entries, event) => append(entries, event, 'assistant'),
  'response.output_text.done': (entries, event) => settle(entries, event, 'assistant', event.text),
};

function has(entries, id) {
  return entries.some((entry) => entry.id === id);
}

function find(entries, id) {
  return entries.find((entry) => entry.id === id) ?? {id, role: 'other', texts: [], status: 'pending', interrupted: false, placed: false};
}

// An entry that is not there yet comes last, until an event tells its place.
function edit(entries, id, fields) {
  const edited = {...find(entries, id), ...fields};
  return has(entries, id) ? entries.map((entry) => (entry.id === id ? edited : entry)) : [...entries, edited];
}

// After the item named; null means first; one that is not known (any more) leaves the entry where it is.
function place(entries, id, previous, fields) {
  const edited = edit(entries, id, {...fields, placed: true});
  const known = previous === null || previous === undefined || has(entries, previous);
  if (!known || previous === id) {
    return edited;
  }
  const entry = find(edited, id);
  const others = edited.filter((each) => each !== entry);
  const at = others.findIndex((each) => each.id === previous) + 1;
  return [...others.slice(0, at), entry, ...others.slice(at)];
}

function placeItem(entries, {item, previous_item_id: previous}) {
  const isMessage = item.type === 'message' && (item.role === 'user' || item.role === 'assistant');
  const placed = place(entries, item.id, previous, {role: isMessage ? item.role : 'other'});
  const written = (item.content ?? []).map((part) => part.text ?? part.transcript ?? '');
  // Audio is transcribed by events of its own; what was typed stands here alone.
  if (find(placed, item.id).texts.length > 0 || !written.some(Boolean)) {
    return placed;
  }
  return edit(placed, item.id, {texts: written, status: 'final'});
}

function append(entries, {item_id: id, content_index: index = 0, delta}, role) {
  const entry = find(entries, id);
  return entry.status === 'final' ? entries : edit(entries, id, {role, status: 'partial', texts: withText(entry.texts, index, (entry.texts[index] ?? '') + delta)});
}

// The final text replaces what the deltas made.
function settle(entries, {item_id: id, content_index: index = 0}, role, text) {
  const entry = find(entries, id);
  return edit(entries, id, {role, status: 'final', texts: withText(entry.texts, index, text ?? '')});
}

function withText(texts, index, text) {
  const next = texts.slice();
  for (let i = next.length; i < index; ++i) {
    next[i] = '';
  }
  next[index] = text;
  return next;
}
