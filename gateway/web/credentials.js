// Who the user is to the gateway: a client secret handed over in the link, and the tokens of sessions.
const kSessionEntry = 'voicebridge.session';    // The last one.
const kAssessedEntry = 'voicebridge.assessed';  // The last one that is or was assessed.

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

// What opens one session's report, of its voicebridge.session.ready.
export function tokenOf({session_id: sessionId, access_token: accessToken, profile}) {
  return {sessionId, accessToken, profile};
}

// Survives a reload, not the tab.
export function keepToken(token, storage) {
  keep(kSessionEntry, token, storage);
}

export function keepAssessed(token, storage) {
  keep(kAssessedEntry, token, storage);
}

// The sessions that may have a report, the latest first.
export function assessedSessions(storage) {
  const last = kept(kSessionEntry, storage);
  const assessed = kept(kAssessedEntry, storage);
  const candidates = last?.profile === 'interview' && last.sessionId !== assessed?.sessionId ? [last, assessed] : [assessed];
  return candidates.filter(Boolean);
}

// Undefined where the browser stores nothing, which it may say by throwing.
export function tabStorage() {
  try {
    return window.sessionStorage;
  } catch {
    return undefined;
  }
}

function keep(entry, token, storage) {
  try {
    storage.setItem(entry, JSON.stringify(token));
  } catch {
    // A browser that stores nothing can still talk.
  }
}

function kept(entry, storage) {
  try {
    const token = JSON.parse(storage.getItem(entry));
    return typeof token?.sessionId === 'string' && typeof token?.accessToken === 'string' ? token : undefined;
  } catch {
    return undefined;
  }
}
