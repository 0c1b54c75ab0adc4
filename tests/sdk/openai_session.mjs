// A program as an application would write it with the official `openai` SDK; the test starts it with another
// base URL and key, nothing else. Prints one JSON line: what it saw.
//
//   node openai_session.mjs BASE_URL API_KEY MODEL PCM_FILE
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import OpenAI from 'openai';
import {OpenAIRealtimeWS} from 'openai/realtime/ws';

const [baseURL, apiKey, model, pcmFile] = process.argv.slice(2);
const tools = [{
  type: 'function', name: 'get_weather', description: 'The weather of a city.',
  parameters: {type: 'object', properties: {city: {type: 'string'}}, required: ['city']},
}];

// The next event of that type.
function next(rt, type) {
  return new Promise((resolve, reject) => {
    rt.once(type, resolve);
    rt.once('error', reject);
  });
}

// Sends what `ask` sends, then collects the response to its end.
async function respond(rt, ask, response) {
  const hash = createHash('sha256');
  let bytes = 0;
  let transcript = '';
  let text = '';
  const onAudio = (event) => {
    const pcm = Buffer.from(event.delta, 'base64');
    hash.update(pcm);
    bytes += pcm.length;
  };
  const onTranscript = (event) => {
    transcript += event.delta;
  };
  const onText = (event) => {
    text += event.delta;
  };
  rt.on('response.output_audio.delta', onAudio);
  rt.on('response.output_audio_transcript.delta', onTranscript);
  rt.on('response.output_text.delta', onText);
  const done = next(rt, 'response.done');
  ask();
  rt.send(response ? {type: 'response.create', response} : {type: 'response.create'});
  const event = await done;
  rt.off('response.output_audio.delta', onAudio);
  rt.off('response.output_audio_transcript.delta', onTranscript);
  rt.off('response.output_text.delta', onText);
  return {status: event.response.status, output: event.response.output, bytes, sha256: hash.digest('hex'), transcript, text};
}

const say = (rt, text) => () => rt.send({
  type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text}]},
});

function speak(rt, pcm) {
  return () => {
    for (let at = 0; at < pcm.length; at += 1920) {
      rt.send({type: 'input_audio_buffer.append', audio: pcm.subarray(at, at + 1920).toString('base64')});
    }
    rt.send({type: 'input_audio_buffer.commit'});
  };
}

async function callFunction(rt) {
  rt.send({type: 'session.update', session: {type: 'realtime', tools, tool_choice: 'auto'}});
  await next(rt, 'session.updated');
  const asked = await respond(rt, say(rt, 'Please get weather for Lisbon'));
  const call = asked.output.find((item) => item.type === 'function_call');
  const answered = await respond(rt, () => rt.send({
    type: 'conversation.item.create', item: {type: 'function_call_output', call_id: call.call_id, output: 'sunny'},
  }));
  return {name: call.name, arguments: call.arguments, answer: answered.transcript};
}

async function main() {
  const client = new OpenAI({apiKey, baseURL});
  const secret = await client.realtime.clientSecrets.create({
    expires_after: {anchor: 'created_at', seconds: 600}, session: {type: 'realtime', model, instructions: 'Be brief.'},
  });
  // What a browser would be given: the secret instead of the key.
  const rt = new OpenAIRealtimeWS({model}, new OpenAI({apiKey: secret.value, baseURL}));
  const unknown = [];
  rt.on('error', (error) => unknown.push(error.message));
  const {session} = await next(rt, 'session.created');
  const text = await respond(rt, say(rt, 'Good evening'), {output_modalities: ['text']});
  const audio = await respond(rt, speak(rt, fs.readFileSync(pcmFile)));
  const functionCall = await callFunction(rt);
  const closed = new Promise((resolve) => rt.socket.on('close', (code) => resolve(code)));
  rt.close();
  return {secret: {prefix: secret.value.slice(0, 3), expires_at: secret.expires_at}, session, text, audio, functionCall, errors: unknown, closeCode: await closed};
}

main().then(
    (result) => {
      process.stdout.write(`${JSON.stringify(result)}\n`);
      process.exit(0);
    },
    (error) => {
      process.stderr.write(`${error.stack}\n`);
      process.exit(1);
    });
