// npm @copilotkit/aimock as the worker's upstream: a Realtime API that others wrote from OpenAI's documents.
//
// Where it differs from the live service (1.43):
//   * no audio and no voice activity: appends are swallowed, a commit makes no item and no transcript
//   * response.cancel is answered with `response.cancelled`, which OpenAI does not know, and cancels nothing
//   * a second response.create is queued instead of refused
//   * a response that fails is created with the status `failed`
//   * session.update is not checked; its session has no id
import {LLMock} from '@copilotkit/aimock';

import {withFleet} from '../process/harness.mjs';

// `prepare` tells it what to answer; `auth` restricts its keys.
export async function withAimock({prepare = () => {}, auth} = {}, body) {
  const aimock = new LLMock({port: 0, host: '127.0.0.1', auth});
  prepare(aimock);
  const url = await aimock.start();
  const upstream = `--upstream_url=${url.replace('http:', 'ws:')}/v1/realtime`;
  try {
    await withFleet({workers: 1, workerFlags: [upstream]}, (fleet) => body(fleet, aimock));
  } finally {
    await aimock.stop().catch(() => {});  // A test may have stopped it.
  }
}

// What the requests of each response consisted of, as aimock understood them.
export function conversationsOf(aimock) {
  return aimock.getRequests().filter(({method}) => method === 'WS').map(({body}) => body.messages);
}
