// Who the user is to the gateway: a client secret handed over in the link, and the token of the session.
const kTokenEntry = 'voicebridge.session';

// The secret of `#key=ek_...`, which is taken out of the address bar at once: it is not to be copied, bookmarked
// or kept. Fragments are not sent to servers.
export function takeKey(location, history) {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const key = fragment.get('key');
  if (key === null) {
    return undefined;
  }
  fragment.delete('key');
  const rest = fragment.toString();
  history.replaceState(history.state, '', location.pathname + location.search + (rest ? `#${rest}` : ''));
  return key || undefined;
}

// Good for this session's report; survives a reload, not the tab.
export function keepToken({session_id: sessionId, access_token: accessToken}, storage) {
  try {
    storage.setItem(kTokenEntry, JSON.stringify({sessionId, accessToken}));
  } catch {
    // A browser that stores nothing can still talk.
  }
}
