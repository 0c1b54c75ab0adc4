// A fleet that asks for credentials, and credentials of each kind: good ones, and what an attacker would make of them.
import {strict as assert} from 'node:assert';
import {createHmac, randomBytes} from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import {withFleet} from './fleet.mjs';
import {postJson} from './http.mjs';

export const kApiKey = 'sk-test-api-key';
export const signingKey = randomBytes(32);

// With one API key, `backend`, and one signing key.
export async function withAuth(body, {gatewayFlags = [], ...options} = {}) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'voicebridge-keys-'));
  const file = path.join(dir, 'signing-keys');
  fs.writeFileSync(file, `first ${signingKey.toString('base64')}\n`);
  try {
    await withFleet({workers: 1, apiKeys: {backend: kApiKey}, gatewayFlags: [`--signing_keys=${file}`, ...gatewayFlags], ...options}, body);
  } finally {
    fs.rmSync(dir, {recursive: true});
  }
}

export const mintUrl = (fleet) => `${fleet.httpUrl}/v1/realtime/client_secrets`;

export const bearer = (key) => (key === undefined ? {} : {Authorization: `Bearer ${key}`});

export async function mint(fleet, body = {}, key = kApiKey) {
  const answer = await postJson(mintUrl(fleet), body, {headers: bearer(key)});
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body);
}

export const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

// A token (JWT) with other claims, signed with a key: with ours it is what only the gateway should be able to make.
export function resignedToken(token, change, key = signingKey) {
  const [header] = token.split('.');
  const signed = `${header}.${Buffer.from(JSON.stringify(change(claimsOf(token)))).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

// The same of a client secret.
export function resigned(secret, change, key = signingKey) {
  return `ek_${resignedToken(secret.slice('ek_'.length), change, key)}`;
}

export const anHourAgo = (claims) => ({...claims, exp: Math.floor(Date.now() / 1000) - 3600});
