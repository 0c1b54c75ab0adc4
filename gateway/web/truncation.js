// What the server is told when the user interrupts: it must remember what was heard, and no more.

// `responseId`: the response that is still open and has to be cancelled, or null. `parts`: what playback had,
// in order: {itemId, contentIndex, receivedMs, playedMs, complete, playedToEnd}.
export function interruptionEvents({responseId, parts}) {
  const events = responseId ? [{type: 'response.cancel', response_id: responseId}] : [];
  for (const part of parts) {
    const event = cutOf(part);
    if (event) {
      events.push(event);
    }
  }
  return events;
}

// Played to its end: a truncate would only make the server forget the words.
function cutOf({itemId, contentIndex, receivedMs, playedMs, complete, playedToEnd}) {
  if (complete && playedToEnd) {
    return undefined;
  }
  const heardMs = Math.floor(Math.min(Math.max(playedMs, 0), receivedMs));
  if (heardMs === 0) {
    return {type: 'conversation.item.delete', item_id: itemId};
  }
  return {type: 'conversation.item.truncate', item_id: itemId, content_index: contentIndex, audio_end_ms: heardMs};
}

// Items of an interrupted response that came too late to be heard: nobody knows them, so they go.
// `heard`: ids of items that were heard, or are settled otherwise.
export function unheardItems(response, heard) {
  return (response.output ?? [])
      .filter((item) => item.type === 'message' && !heard.has(item.id) && !isText(item))
      .map((item) => ({type: 'conversation.item.delete', item_id: item.id}));
}

// What is shown as text is read, heard or not.
function isText(item) {
  return (item.content ?? []).some((part) => part.type === 'output_text' || part.type === 'text');
}
