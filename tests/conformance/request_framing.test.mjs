// Where one request ends and the next begins: RFC 7230 section 3.3.3, and the shapes that are known as request
// smuggling (section 9.5). Whatever is not understood exactly is refused, and the connection ends with it.
import {strict as assert} from 'node:assert';
import test from 'node:test';

import {sharedFleet} from './harness/conformance.mjs';

const shared = sharedFleet();
const kHidden = 'GET /hidden HTTP/1.1\r\nHost: gateway\r\n\r\n';
const kChunked = '2\r\n{}\r\n0\r\n\r\n';

function request(headers, body = '', start = 'POST /v1/realtime/client_secrets HTTP/1.1') {
  return `${start}\r\nHost: gateway\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n${body}`;
}

// One refusal, and nothing of what follows is looked at.
function refused(name, bytes, statuses = [400]) {
  test(`refused: ${name}`, async () => {
    const socket = await shared.connect();
    socket.send(Buffer.from(bytes + kHidden, 'latin1'));
    const answer = await socket.response();
    assert.ok(statuses.includes(answer.status), answer.head + answer.body);
    assert.equal(answer.headers.connection, 'close');
    const {how, bytes: rest} = await socket.toEnd();
    assert.deepEqual({how, rest: rest.toString()}, {how: 'fin', rest: ''}, 'what follows is not answered');
  });
}

// The request is answered, then the one behind it as a request of its own.
function understood(name, bytes) {
  test(`understood: ${name}`, async () => {
    const socket = await shared.connect();
    socket.send(bytes + kHidden);
    const answer = await socket.response();
    assert.equal(answer.status, 200, answer.head + answer.body);
    assert.match((await socket.response()).body, /hidden/);
  });
}

understood('Content-Length', request(['Content-Length: 2'], '{}'));
understood('chunks', request(['Transfer-Encoding: chunked'], kChunked));
understood('chunks, the word in other case', request(['Transfer-Encoding: CHUNKED'], kChunked));
understood('chunks with extensions, and sizes with leading zeros', request(['Transfer-Encoding: chunked'], '0001;a=b;c="d"\r\n{\r\n1\r\n}\r\n000\r\n\r\n'));
understood('a chunk size in upper and lower case', request(['Transfer-Encoding: chunked'], `A\r\n{         \r\na\r\n         }\r\n0\r\n\r\n`));
understood('the same Content-Length twice', request(['Content-Length: 2', 'Content-Length: 2'], '{}'));  // Section 3.3.2 allows it.

refused('Content-Length and chunks', request(['Content-Length: 2', 'Transfer-Encoding: chunked'], kChunked));
refused('chunks and Content-Length', request(['Transfer-Encoding: chunked', 'Content-Length: 2'], kChunked));
refused('two lengths', request(['Content-Length: 2', 'Content-Length: 3'], '{}'));
refused('two lengths in one line', request(['Content-Length: 2, 3'], '{}'));
for (const length of ['', '+2', '-2', '0x2', '2.0', '2 2', '2,', ',2', '2;', '"2"', '١', '18446744073709551618', '99999999999999999999999999']) {
  refused(`the length "${length}"`, request([`Content-Length: ${length}`], '{}'), [400, 413]);
}

// "If a Transfer-Encoding header field is present in a request and the chunked transfer coding is not the final
// encoding [...] the server MUST respond with the 400 (Bad Request) status code and then close the connection."
for (const encoding of ['identity', 'gzip', 'chunked, identity', 'chunked, chunked', 'xchunked', 'chunkedx', '"chunked"', 'chunked;q=1', '\x0bchunked', 'chunked\x00', ';chunked']) {
  refused(`the encoding ${JSON.stringify(encoding)}`, request([`Transfer-Encoding: ${encoding}`], kChunked), [400, 501]);
}
refused('an empty encoding', request(['Transfer-Encoding:'], kChunked));
refused('an encoding that is not known, then chunks', request(['Transfer-Encoding: gzip, chunked'], kChunked), [501]);  // Section 3.3.1.
refused('chunks twice', request(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], kChunked));
refused('chunks and identity in two lines', request(['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], kChunked));
refused('identity and chunks in two lines', request(['Transfer-Encoding: identity', 'Transfer-Encoding: chunked'], kChunked), [400, 501]);
refused('chunks in HTTP/1.0', request(['Transfer-Encoding: chunked'], kChunked, 'POST /v1/realtime/client_secrets HTTP/1.0'));
refused('white space before the colon', request(['Transfer-Encoding : chunked'], kChunked));  // Section 3.2.4: MUST.
refused('an upgrade that is framed in two ways', request(['Upgrade: websocket', 'Connection: upgrade', 'Content-Length: 2', 'Transfer-Encoding: chunked'], kChunked, 'GET /v1/realtime HTTP/1.1'));

// Section 4.1: chunks.
for (const [name, chunks] of Object.entries({
  'a size that is no number': 'x\r\n{}\r\n0\r\n\r\n',
  'an empty size': '\r\n{}\r\n0\r\n\r\n',
  'a negative size': '-2\r\n{}\r\n0\r\n\r\n',
  'a size with 0x': '0x2\r\n{}\r\n0\r\n\r\n',
  'a size beyond 64 bits': '10000000000000002\r\n{}\r\n0\r\n\r\n',
  'a chunk longer than its size': '1\r\n{}\r\n0\r\n\r\n',
  'a bare LF behind the size': '2\n{}\r\n0\r\n\r\n',
  'a bare LF behind the data': '2\r\n{}\n0\r\n\r\n',
  'an endless extension': `2;${'x'.repeat(40000)}\r\n{}\r\n0\r\n\r\n`,
  'a trailer that frames': '2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n',
  'a trailer with a credential': '2\r\n{}\r\n0\r\nAuthorization: Bearer sk-x\r\n\r\n',
})) {
  refused(name, request(['Transfer-Encoding: chunked'], chunks), [400, 413]);
}

// Section 3.1 and 3.2: lines and fields.
for (const [name, bytes] of Object.entries({
  'a bare LF behind the request line': 'GET / HTTP/1.1\nHost: gateway\r\n\r\n',
  'a bare LF behind a field': 'GET / HTTP/1.1\r\nHost: gateway\nX: y\r\n\r\n',
  'a bare LF as the empty line': 'GET / HTTP/1.1\r\nHost: gateway\r\n\n',
  'a bare CR in a value': 'GET / HTTP/1.1\r\nHost: gateway\r\nX: a\rb\r\n\r\n',
  'NUL in a value': 'GET / HTTP/1.1\r\nHost: gateway\r\nX: a\0b\r\n\r\n',
  'NUL in a name': 'GET / HTTP/1.1\r\nHost: gateway\r\nX\0: b\r\n\r\n',
  'a line without a colon': 'GET / HTTP/1.1\r\nHost: gateway\r\nX\r\n\r\n',
  'an empty name': 'GET / HTTP/1.1\r\nHost: gateway\r\n: b\r\n\r\n',
  'a name with a space': 'GET / HTTP/1.1\r\nHost: gateway\r\nX Y: b\r\n\r\n',
  'white space before the first field': 'GET / HTTP/1.1\r\n Host: gateway\r\n\r\n',
  'a tab in the request line': 'GET\t/ HTTP/1.1\r\nHost: gateway\r\n\r\n',
  'two spaces in the request line': 'GET  / HTTP/1.1\r\nHost: gateway\r\n\r\n',
  'a space in the target': 'GET /a b HTTP/1.1\r\nHost: gateway\r\n\r\n',
  'a word behind the version': 'GET / HTTP/1.1 x\r\nHost: gateway\r\n\r\n',
  'the version in lower case': 'GET / http/1.1\r\nHost: gateway\r\n\r\n',
  'no version': 'GET /\r\nHost: gateway\r\n\r\n',
  'HTTP/2.0': 'GET / HTTP/2.0\r\nHost: gateway\r\n\r\n',
  'the preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'two Hosts': 'GET / HTTP/1.1\r\nHost: gateway\r\nHost: gateway\r\n\r\n',
  'two Hosts in HTTP/1.0': 'GET / HTTP/1.0\r\nHost: gateway\r\nHost: elsewhere\r\n\r\n',
  'a Host with a path': 'GET / HTTP/1.1\r\nHost: gateway/x\r\n\r\n',
  'a Host of two words': 'GET / HTTP/1.1\r\nHost: gateway elsewhere\r\n\r\n',
  'a Host with a user': 'GET / HTTP/1.1\r\nHost: me@gateway\r\n\r\n',
})) {
  refused(name, bytes);
}

// Section 3.2.4: obsolete line folding is refused or read as a space; Beast reads it as a space, so that it can
// hide no field.
test('a folded field is one field', async () => {
  const socket = await shared.connect();
  socket.send(`GET / HTTP/1.1\r\nHost: gateway\r\nX: a\r\n Content-Length: 500\r\n\r\n${kHidden}`);
  assert.equal((await socket.response()).status, 200);
  assert.match((await socket.response()).body, /hidden/);
});
refused('an encoding behind a fold', request(['Transfer-Encoding:\r\n identity'], kChunked));
