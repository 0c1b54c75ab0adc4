// What a conversation's end means for the page: whether another one is started, and whether it is an error.
// The words for people are in messages.js, under the same names.

// Reasons of voicebridge.session.ended (README, "End reasons").
const kByReason = {
  client_closed: {outcome: 'ended'},
  client_lost: {outcome: 'retry'},
  ended_by_operator: {outcome: 'ended'},
  draining: {outcome: 'ended'},
  policy: {outcome: 'error'},
  protocol_error: {outcome: 'error'},
  slow_client: {outcome: 'retry'},
  session_limit: {outcome: 'ended'},
  no_worker: {outcome: 'retry'},
  worker_lost: {outcome: 'retry'},
  upstream_refused: {outcome: 'error'},
  upstream_unavailable: {outcome: 'retry'},
  upstream_lost: {outcome: 'retry'},
  upstream_stalled: {outcome: 'retry'},
  superseded: {outcome: 'ended'},
  internal: {outcome: 'retry'},
  unspecified: {outcome: 'retry'},
};

// What the page itself notices.
const kByCause = {
  unreachable: {outcome: 'retry'},
  busy: {outcome: 'retry'},
  not_admitted: {outcome: 'error'},
  timeout: {outcome: 'retry'},
  connection_lost: {outcome: 'retry'},
  slow_uplink: {outcome: 'retry'},
};

// Without a reason, the close code has to do.
const kByCloseCode = new Map([
  [1000, 'client_closed'],
  [1001, 'draining'],
  [1002, 'protocol_error'],
  [1003, 'protocol_error'],
  [1007, 'protocol_error'],
  [1008, 'policy'],
  [1009, 'protocol_error'],
  [1011, 'internal'],
  [1012, 'draining'],
  [1013, 'no_worker'],
]);

// What the upgrade was answered.
const kByStatus = new Map([
  [401, 'not_admitted'],
  [403, 'not_admitted'],
  [429, 'busy'],
  [503, 'busy'],
]);

// `reason`: of the event, if one came. `cause`: what the page noticed, if it was the page that gave up. `refusal`:
// of the upgrade (refusal.js), if somebody answered.
export function endingOf({reason, cause, code, opened, refusal}) {
  if (cause in kByCause) {
    return {name: cause, ...kByCause[cause]};
  }
  if (Object.hasOwn(kByReason, reason ?? '')) {
    return {name: reason, ...kByReason[reason]};
  }
  if (!opened) {
    const name = kByStatus.get(refusal?.status) ?? 'unreachable';
    return {name, ...kByCause[name]};
  }
  const byCode = kByCloseCode.get(code);
  return byCode ? {name: byCode, ...kByReason[byCode]} : {name: 'connection_lost', ...kByCause.connection_lost};
}

export const endingNames = [...Object.keys(kByReason), ...Object.keys(kByCause)];
