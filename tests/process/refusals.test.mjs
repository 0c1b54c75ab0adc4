// Who may not come in: each is told so before the upgrade, counted under its reason, and logged without its credential.
import {strict as assert} from 'node:assert';
import {randomBytes} from 'node:crypto';
import test from 'node:test';

import {checkTurn, patience, postJson, request, total, waitUntil, withFleet} from './harness.mjs';
import {AdminClient} from './harness/admin.mjs';
import {anHourAgo, bearer, claimsOf, kApiKey, mint, mintUrl, resigned, resignedToken, withAuth} from './harness/credentials.mjs';
import {logged} from './harness/log.mjs';

const kRealtime = '/v1/realtime';
const kMinting = '/v1/realtime/client_secrets';
const kOurs = 'https://ours.example';

const counted = async (fleet, reason) => total(await fleet.metrics(fleet.gateway), 'voicebridge_gateway_requests_refused_total', reason && `reason="${reason}"`);

// Does what is refused, and looks for the one line and the one count that come of it.
async function checkRefused(fleet, {reason, status, path = kRealtime, key = '', secret = '', secrets = []}, refused) {
  const before = {all: await counted(fleet), reason: await counted(fleet, reason), lines: logged(fleet.gateway, 'request.refused').length};
  const answer = await refused();
  assert.equal(answer.status, status, `${reason}: ${JSON.stringify(answer)}`);
  assert.deepEqual([await counted(fleet, reason), await counted(fleet)], [before.reason + 1, before.all + 1], `counted as ${reason}, once`);
  const lines = await waitUntil(() => {
    const all = logged(fleet.gateway, 'request.refused').slice(before.lines);
    return all.length > 0 && all;
  }, {ms: 3000 * patience, what: `a line about ${reason}`, got: () => fleet.gateway.tail()});
  const [line] = lines;
  assert.deepEqual({reason: line.reason, address: line.address, path: line.path, key: line.key, secret: line.secret, left_out: line.left_out},
                   {reason, address: '127.0.0.1', path, key, secret, left_out: 0});
  assert.equal(lines.length, 1, 'one line');
  for (const each of secrets.filter(Boolean)) {
    assert.ok(!fleet.gateway.text().includes(each), `the log has ${each.slice(0, 8)}...`);
  }
  return answer;
}

async function upgrade(fleet, options) {
  const client = fleet.dial(options);
  return client.opened().then(() => ({status: 101, client}), ({status, headers, message}) => ({status, headers, message}));
}

const tampered = (secret) => `${secret.slice(0, -4)}AAAA`;
const withoutSignature = (secret) => `ek_${Buffer.from('{"alg":"none"}').toString('base64url')}.${secret.split('.')[1]}.`;

test('a conversation: no, wrong, expired, forged and foreign-profile credentials, a foreign origin', () => withAuth(async (fleet) => {
  const {value} = await mint(fleet);
  const interview = (await mint(fleet, {profile: 'interview'})).value;
  const mine = {key: 'backend', secret: claimsOf(value).jti};
  assert.match(mine.secret, /^secret_\w{21}$/);
  const credentials = [
    {what: 'none', reason: 'no_credential', status: 401},
    {what: 'a wrong key', credential: 'sk-test-wrong-key', reason: 'wrong_key', status: 401},
    {what: 'an expired secret', credential: resigned(value, anHourAgo), reason: 'expired', status: 401, ...mine},
    {what: 'one signed with another key', credential: resigned(value, (claims) => claims, randomBytes(32)), reason: 'forged', status: 401},
    {what: 'an expired one signed with another key', credential: resigned(value, anHourAgo, randomBytes(32)), reason: 'forged', status: 401},
    {what: 'one that was changed', credential: tampered(value), reason: 'forged', status: 401},
    {what: 'one without a signature', credential: withoutSignature(value), reason: 'forged', status: 401},
    {what: 'no secret at all', credential: 'ek_not.a.secret', reason: 'forged', status: 401},
    {what: "another profile's secret", credential: interview, profile: 'assistant', reason: 'foreign_profile', status: 403,
     key: 'backend', secret: claimsOf(interview).jti},
    {what: 'a foreign origin', credential: kApiKey, origin: 'https://theirs.example', reason: 'foreign_origin', status: 403},
  ];
  for (const {what, credential, profile, origin, ...expected} of credentials) {
    const options = {profile, headers: origin ? {Origin: origin} : {}};
    const signature = credential?.split('.')[2];
    const secrets = [credential, signature?.length > 20 && signature];
    await checkRefused(fleet, {...expected, secrets}, () => upgrade(fleet, {...options, key: credential}));
    if (credential !== undefined) {
      await checkRefused(fleet, {...expected, secrets}, () => upgrade(fleet, {...options, subprotocolKey: credential}));
    }
    // What a page asks to learn why, and where a secret in the query would be a mistake.
    const query = `?key=${credential}${profile ? `&profile=${profile}` : ''}`;
    await checkRefused(fleet, {...expected, secrets}, () => request(`${fleet.httpUrl}${kRealtime}${query}`, {headers: {...bearer(credential), ...options.headers}}));
    console.log(`# ${what}: ${expected.reason}`);
  }
  await checkTurn(fleet, await fleet.connect({key: value, headers: {Origin: kOurs}}));
  await checkTurn(fleet, await fleet.connect({key: interview}).then((client) => client.close()).then(() => fleet.connect({key: kApiKey})));
  assert.deepEqual(logged(fleet.gateway, 'session.admitted').map(({key, secret, address}) => [key, secret, address]), [
    ['backend', mine.secret, '127.0.0.1'], ['backend', claimsOf(interview).jti, '127.0.0.1'], ['backend', '', '127.0.0.1'],
  ], 'whose each session is');
}, {gatewayFlags: [`--allowed_origins=${kOurs}`]}));

test('a client secret: minted with an API key only, and each is logged by its id', () => withAuth(async (fleet) => {
  const {value} = await mint(fleet);
  const post = (key) => () => postJson(mintUrl(fleet), {}, {headers: bearer(key)});
  const jti = claimsOf(value).jti;
  await checkRefused(fleet, {reason: 'no_credential', status: 401, path: kMinting}, post());
  await checkRefused(fleet, {reason: 'wrong_key', status: 401, path: kMinting, secrets: ['sk-test-wrong-key']}, post('sk-test-wrong-key'));
  await checkRefused(fleet, {reason: 'may_not_mint', status: 403, path: kMinting, key: 'backend', secret: jti, secrets: [value]}, post(value));
  await checkRefused(fleet, {reason: 'expired', status: 401, path: kMinting, key: 'backend', secret: jti}, post(resigned(value, anHourAgo)));
  assert.deepEqual(logged(fleet.gateway, 'secret.minted').map(({secret, key, address}) => ({secret, key, address})),
                   [{secret: jti, key: 'backend', address: '127.0.0.1'}]);
}));

test('a report: only with the token of its session', () => withAuth(async (fleet) => {
  const client = await fleet.connect({key: kApiKey});
  const {session_id: id, access_token: token} = client.about;
  const path = `/v1/sessions/${id}/report`;
  const get = (key) => () => request(`${fleet.httpUrl}${path}`, {headers: bearer(key)});
  const expired = resignedToken(token, anHourAgo);
  const foreign = resignedToken(token, (claims) => ({...claims, sub: 'sess_of_somebody_else'}));
  await checkRefused(fleet, {reason: 'no_credential', status: 401, path}, get());
  await checkRefused(fleet, {reason: 'forged', status: 401, path, secrets: [tampered(token)]}, get(tampered(token)));
  await checkRefused(fleet, {reason: 'expired', status: 401, path, secrets: [expired]}, get(expired));
  await checkRefused(fleet, {reason: 'foreign_session', status: 403, path, secrets: [foreign]}, get(foreign));
  const before = await counted(fleet);
  assert.equal((await get(token)()).status, 404, 'with the good one: there is none');
  assert.equal(await counted(fleet), before, 'which is no refusal');
}));

test('what is no fault of the client: no worker, a drain', () => withFleet({workers: 1}, async (fleet) => {
  const [worker] = fleet.workers;
  const client = await fleet.connect();
  const admin = await AdminClient.of(fleet.gateway);
  const finished = admin.drain({mode: 'FINISH', budget: {seconds: 30}});
  await finished.begun;
  const {headers} = await checkRefused(fleet, {reason: 'draining', status: 503, key: 'anonymous'}, () => upgrade(fleet));
  assert.equal(headers['retry-after'], '1');
  await client.close();
  await finished;
  await admin.undrain();
  admin.close();
  await worker.stop('SIGTERM');
  await fleet.servingWorkers(0);
  await checkRefused(fleet, {reason: 'no_worker', status: 503, key: 'anonymous'}, () => upgrade(fleet));
}));

const kFlood = 400;

test('a flood of refusals is counted to the last and logged in part', () => withAuth(async (fleet) => {
  const started = performance.now();
  for (let i = 0; i < kFlood; i += 20) {
    await Promise.all(Array.from({length: 20}, () => request(`${fleet.httpUrl}${kRealtime}`, {headers: bearer('sk-test-wrong-key')})));
  }
  assert.equal(await counted(fleet, 'wrong_key'), kFlood);
  // Once there is room for a line again, it says how many were left out.
  const lines = () => logged(fleet.gateway, 'request.refused');
  const told = () => lines().reduce((sum, line) => sum + 1 + line.left_out, 0);
  let more = 0;
  await waitUntil(async () => {
    if (told() >= kFlood) {
      return true;
    }
    await request(`${fleet.httpUrl}${kRealtime}`, {headers: bearer('sk-test-wrong-key')});
    more += 1;
    return false;
  }, {ms: 5000 * patience, every: 100, what: 'a line that says how many were left out', got: told});
  const seconds = (performance.now() - started) / 1000;
  assert.ok(lines().length >= 50 && lines().length <= 51 + 5 * seconds, `${lines().length} lines in ${seconds} s`);
  assert.ok(told() <= kFlood + more, `${told()} of ${kFlood + more} are told of`);
}, {gatewayFlags: ['--max_requests_per_minute_per_address=0']}));

test('where everybody may come in, pages of others may not', () => withFleet({workers: 1}, async (fleet) => {
  const port = fleet.httpUrl.split(':').at(-1);
  const secrets = [];
  for (const origin of ['https://theirs.example', `http://theirs.example:${port}`, 'null', `http://127.0.0.1:${port - 1}`]) {
    await checkRefused(fleet, {reason: 'foreign_origin', status: 403, secrets}, () => upgrade(fleet, {headers: {Origin: origin}}));
  }
  const rebound = {Origin: `http://theirs.example:${port}`, Host: `theirs.example:${port}`};
  await checkRefused(fleet, {reason: 'foreign_origin', status: 403, secrets}, () => upgrade(fleet, {headers: rebound}));
  await checkTurn(fleet, await fleet.connect({headers: {Origin: fleet.httpUrl}}));
}));
