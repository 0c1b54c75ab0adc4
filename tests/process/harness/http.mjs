// HTTP from a test: always with a deadline, always with the status in the error.
import http from 'node:http';

import {patience} from './process.mjs';

export function request(url, {method = 'GET', headers = {}, body, ms = 5000} = {}) {
  return new Promise((resolve, reject) => {
    const call = http.request(url, {method, headers, agent: false, timeout: ms * patience}, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => resolve({status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString()}));
      response.on('error', reject);
    });
    call.on('timeout', () => call.destroy(new Error(`${method} ${url}: no answer within ${ms * patience} ms`)));
    call.on('error', reject);
    call.end(body);
  });
}

export async function getJson(url, options) {
  const answer = await request(url, options);
  if (answer.status !== 200) {
    throw new Error(`${url} answered ${answer.status}: ${answer.body}`);
  }
  return JSON.parse(answer.body);
}

export async function postJson(url, value, {headers = {}, ...options} = {}) {
  return request(url, {method: 'POST', headers: {'Content-Type': 'application/json', ...headers}, body: JSON.stringify(value), ...options});
}

// Prometheus text as a map from `name{labels}` to its value.
export function parseMetrics(text) {
  const values = new Map();
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*(?:\{[^}]*\})?)\s+(\S+)/.exec(line);
    if (match) {
      values.set(match[1], Number(match[2]));
    }
  }
  return values;
}

// The sum over all label sets of a metric; with `label`, of those that contain it.
export function total(metrics, name, label = '') {
  let sum = 0;
  for (const [key, value] of metrics) {
    if ((key === name || key.startsWith(`${name}{`)) && key.includes(label)) {
      sum += value;
    }
  }
  return sum;
}
