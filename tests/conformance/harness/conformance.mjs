// One installation per test file. After each test an ordinary session must still work, and at the end the
// gateway's counters must tell the same story as the tests.
import {strict as assert} from 'node:assert';
import {after, afterEach, before} from 'node:test';

import {Fleet} from '../../process/harness.mjs';
import {RawSocket} from './raw_socket.mjs';
import {RawWebSocket} from './raw_websocket.mjs';

export function sharedFleet(options = {}) {
  const shared = {
    violations: 0,  // Sessions that the gateway must have ended for breaking the protocol.

    open: (upgrade) => RawWebSocket.open(shared.fleet.url, upgrade),
    connect: () => RawSocket.connect(shared.fleet.url),

    // A session that sends this is closed with that code; what came before the close frame is the result.
    async expectFailure(code, ...frames) {
      const session = await shared.open();
      return shared.expectFailureOf(session, code, ...frames);
    },

    async expectFailureOf(session, code, ...frames) {
      session.send(...frames);
      shared.violations += 1;
      return session.expectClose(code);
    },
  };

  before(async () => {
    shared.fleet = await Fleet.start({workers: 1, ...options});
  });
  afterEach(async () => {
    RawSocket.endAll();
    await ordinarySession(shared.fleet);
  });
  after(async () => {
    const {fleet} = shared;
    if (fleet === undefined) {
      return;  // It did not start, and said why.
    }
    try {
      await fleet.sessionsGone();
      assert.equal(await fleet.ended('protocol_error').then(({gateway}) => gateway), shared.violations,
                   'sessions ended for protocol errors');
      assert.equal(await fleet.ended('internal').then(({gateway}) => gateway), 0, 'sessions ended for bugs of ours');
      await fleet.stop();
    } catch (error) {
      error.stack += `\n${fleet.logs()}`;
      throw error;
    } finally {
      await fleet.kill();
    }
  });
  return shared;
}

async function ordinarySession(fleet) {
  const client = await fleet.connect();
  const turn = await client.sendText('Are you still there?', {response: {output_modalities: ['text']}});
  assert.equal(turn.text, 'You said: Are you still there?');
  await client.close();
}
