// HTTP/1.1 beside the WebSocket: RFC 7230 (connections, targets) and RFC 7231 (methods, status codes).
import {strict as assert} from 'node:assert';
import path from 'node:path';
import test from 'node:test';

import {root} from '../process/harness/process.mjs';
import {sharedFleet} from './harness/conformance.mjs';

const shared = sharedFleet({gatewayFlags: [`--web_root=${path.join(root, 'gateway/web')}`]});
const kHost = 'Host: gateway\r\n';
const kSecrets = '/v1/realtime/client_secrets';

const get = (target, more = '') => `GET ${target} HTTP/1.1\r\n${kHost}${more}\r\n`;
const post = (body, more = `Content-Length: ${body.length}\r\n`) => `POST ${kSecrets} HTTP/1.1\r\n${kHost}${more}\r\n${body}`;

async function answerTo(request, options) {
  const socket = await shared.connect();
  socket.send(request);
  return {socket, ...(await socket.response(options))};
}

function status(name, expected, request, check = () => {}) {
  test(`${name} is answered with ${expected}`, async () => {
    const answer = await answerTo(request);
    assert.equal(answer.status, expected, answer.head + answer.body);
    assert.equal(answer.version, '1.1');
    check(answer);
  });
}

status('a GET', 200, get('/'));
status('what is not there', 404, get('/no/such/thing'));
status('a target of escapes', 200, get('/%69ndex.html'));  // RFC 3986 section 2.3.
status('an absolute target', 200, get('http://gateway/'));
status('an absolute target without a path', 200, get('http://gateway'));
status('an absolute target with a query only', 200, get('http://gateway?x=/v1'));
status('an absolute target without a host', 400, get('http:///'));  // RFC 7230 section 2.7.1.
status('a target of another scheme', 400, get('ftp://gateway/'));
status('a target that is no path', 400, get('index.html'));
status('an authority as target', 400, `CONNECT gateway:443 HTTP/1.1\r\n${kHost}\r\n`);
status('a broken escape', 400, get('/%zz'));
status('an escaped NUL', 400, get('/%00'));
status('a target over the limit', 431, get(`/${'x'.repeat(20000)}`));
status('headers over the limit', 431, get('/', `X: ${'x'.repeat(20000)}\r\n`));
status('headers without an end over the limit', 431, `GET / HTTP/1.1\r\n${kHost}${'X: y\r\n'.repeat(4000)}`);
status('a body at the limit', 400, post('x'.repeat(64 << 10)));  // It is read; it is no JSON.
status('a body over the limit', 413, post('x'.repeat((64 << 10) + 1)));
status('a body whose length only claims to be over the limit', 413, post('', 'Content-Length: 1000000000\r\n'));
status('a body in chunks over the limit', 413, post(`11000\r\n${'x'.repeat(0x11000)}`, 'Transfer-Encoding: chunked\r\n'));
status('an unknown method', 405, `BREW / HTTP/1.1\r\n${kHost}\r\n`);
status('another method', 405, `GET ${kSecrets} HTTP/1.1\r\n${kHost}\r\n`, ({headers}) => {
  assert.equal(headers.allow, 'POST');  // RFC 7231 section 6.5.5: MUST.
});
status('the endpoint without an upgrade', 426, get('/v1/realtime'), ({headers}) => {
  assert.equal(headers.upgrade, 'websocket');  // RFC 7231 section 6.5.15: MUST.
});
status('OPTIONS of all', 400, `OPTIONS * HTTP/1.1\r\n${kHost}\r\n`);  // No resource here has options to tell.

// Each read of the server ends right behind the beginning of a line: what it has taken already counts as well.
test('headers over the limit are answered with 431, however they are packed', async () => {
  const socket = await shared.connect();
  const piece = Buffer.from(` ${'x'.repeat(995)}\r\nX:`);
  socket.send('GET / HTTP/1.1\r\nX:');
  let sent = 0;
  while (socket.chunks.length === 0 && sent < 1 << 20) {
    await socket.sendApart([piece]);
    sent += piece.length;
  }
  socket.finish();
  assert.equal((await socket.response()).status, 431);
  assert.ok(sent < 40 << 10, `${sent} bytes were sent before the answer`);
});

// The page's files are the ones that were there at the start: no target leads out of them.
for (const target of ['/../gateway.cc', '/%2e%2e/gateway.cc', '/..%2fgateway.cc', '/./../../README.md', '//etc/passwd', '/..\\gateway.cc', '/....//gateway.cc', '/%252e%252e/gateway.cc', '/index.html/', '/index.html%00.js', '/package.json/..']) {
  test(`nothing is found outside the page: ${target}`, async () => {
    const answer = await answerTo(get(target));
    assert.ok([400, 404].includes(answer.status), `${answer.status} ${answer.body.slice(0, 100)}`);
    assert.ok(!answer.body.includes('#include'));
  });
}

// RFC 7231 section 4.3.2: the header fields of a GET, and no body.
test('HEAD is answered as GET, without the body', async () => {
  for (const target of ['/', '/app.js', '/no/such/thing']) {
    const whole = await answerTo(get(target, 'Connection: close\r\n'));
    const head = await answerTo(get(target, 'Connection: close\r\n').replace('GET', 'HEAD'), {toHead: true});
    assert.deepEqual(head.headers, whole.headers, target);
    assert.equal((await head.socket.toEnd()).bytes.length, 0);
  }
});

// RFC 7231 section 4.3.8: nothing that is secret is sent back.
test('TRACE reflects nothing', async () => {
  const answer = await answerTo(`TRACE / HTTP/1.1\r\n${kHost}Authorization: Bearer sk-secret\r\n\r\n`);
  assert.ok(answer.status >= 400);
  assert.ok(!(answer.head + answer.body).includes('sk-secret'));
});

// --- connections: RFC 7230 section 6 -----------------------------------------------------------------

test('a connection serves many requests, also when all come at once', async () => {
  const socket = await shared.connect();
  const targets = Array.from({length: 50}, (_, i) => (i % 2 === 0 ? '/' : `/missing-${i}`));
  socket.send(targets.map((target) => get(target)).join(''));
  for (const [i, target] of targets.entries()) {
    const answer = await socket.response();
    assert.equal(answer.status, i % 2 === 0 ? 200 : 404);
    assert.ok(i % 2 === 0 || answer.body.includes(target), 'the answers come in the order of the requests');
  }
  assert.equal(socket.end, undefined);
});

test('a connection is closed after the request that asks for it', async () => {
  const {socket, headers} = await answerTo(get('/', 'Connection: close\r\n') + get('/'));
  assert.equal(headers.connection, 'close');
  const {how, bytes} = await socket.toEnd();
  assert.deepEqual({how, bytes: bytes.length}, {how: 'fin', bytes: 0}, 'the request behind it is not answered');
});

test('HTTP/1.0 closes by itself, and keeps the connection when asked to', async () => {
  const once = await answerTo('GET / HTTP/1.0\r\n\r\n');
  assert.equal(once.status, 200);
  assert.equal((await once.socket.toEnd()).how, 'fin');
  const {socket, headers} = await answerTo('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
  assert.equal(headers.connection, 'keep-alive');
  socket.send('GET / HTTP/1.0\r\n\r\n');
  assert.equal((await socket.response()).status, 200);
});

test('a body that the service has no use for does not become the next request', async () => {
  const socket = await shared.connect();
  const inner = get('/smuggled');
  socket.send(`GET / HTTP/1.1\r\n${kHost}Content-Length: ${inner.length}\r\n\r\n${inner}${get('/missing')}`);
  assert.equal((await socket.response()).status, 200);
  assert.match((await socket.response()).body, /missing/);
});

test('a client that ends its half after the request gets its answer', async () => {
  const socket = await shared.connect();
  socket.send(get('/'));
  socket.finish();
  assert.equal((await socket.response()).status, 200);
  assert.equal((await socket.toEnd()).how, 'fin');
});

// RFC 7231 section 5.1.1: "MUST send either a 100 (Continue) response or an immediate final status code".
test('a client that expects 100-continue is told to go on, or at once that it need not', async () => {
  const socket = await shared.connect();
  socket.send(post('', 'Content-Length: 2\r\nExpect: 100-Continue\r\n'));
  assert.equal((await socket.response()).status, 100);
  socket.send('{}');
  assert.equal((await socket.response()).status, 200);
  socket.send(post('{}', 'Content-Length: 2\r\nExpect: 100-continue\r\n'));
  assert.equal((await socket.response()).status, 200, 'the body is there already: it is not asked for');
  socket.send(post('', 'Content-Length: 1000000000\r\nExpect: 100-continue\r\n'));
  assert.equal((await socket.response()).status, 413);
});

test('a request may come byte by byte, its body too', async () => {
  const socket = await shared.connect();
  await socket.sendApart([...post('{ }')].map((byte) => Buffer.from(byte)));
  assert.equal((await socket.response()).status, 200);
});

// RFC 7230 section 3.5: "SHOULD ignore at least one empty line (CRLF) received prior to the request-line". Beast
// does not; no client since the nineties sends one, and answering 400 cannot be abused.
status('an empty line before the request', 400, `\r\n${get('/')}`);
