// A program as an application would write it with `@openai/agents-realtime` over WebSocket; the test starts
// it with another URL and key, nothing else. Prints one JSON line: what it saw.
//
//   node agents_session.mjs URL KEY MODEL PCM_FILE
import {RealtimeAgent, RealtimeSession, tool} from '@openai/agents-realtime';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import {z} from 'zod';

const [url, apiKey, model, pcmFile] = process.argv.slice(2);
const kFrameBytes = 1920;

const toolCalls = [];
const weather = tool({
  name: 'get_weather', description: 'The weather of a city.', parameters: z.object({city: z.string()}),
  execute: async ({city}) => {
    toolCalls.push(city);
    return `sunny in ${city}`;
  },
});

const agent = new RealtimeAgent({name: 'assistant', instructions: 'Be brief.', tools: [weather]});
const session = new RealtimeSession(agent, {transport: 'websocket', model});
const errors = [];
const types = [];
session.on('error', (error) => errors.push(JSON.stringify(error.error ?? error)));
session.on('transport_event', (event) => types.push(event.type));

// What the agent says and speaks in reply to `ask`: the turn that ends with speech.
function turn(ask) {
  return new Promise((resolve) => {
    const hash = createHash('sha256');
    let bytes = 0;
    const onAudio = (event) => {
      hash.update(Buffer.from(event.data));
      bytes += event.data.byteLength;
    };
    const onEnd = (context, ended, text) => {
      if (bytes === 0) {
        return;  // A turn that only called a function.
      }
      session.off('audio', onAudio);
      session.off('agent_end', onEnd);
      resolve({text, bytes, sha256: hash.digest('hex')});
    };
    session.on('audio', onAudio);
    session.on('agent_end', onEnd);
    ask();
  });
}

function buffer(pcm) {
  return pcm.buffer.slice(pcm.byteOffset, pcm.byteOffset + pcm.byteLength);
}

// The SDK's default is voice activity detection: speech, then the silence that ends it.
function speak(pcm) {
  return () => {
    for (let at = 0; at < pcm.length; at += kFrameBytes) {
      session.sendAudio(buffer(pcm.subarray(at, at + kFrameBytes)));
    }
  };
}

async function main() {
  await session.connect({apiKey, url});
  const text = await turn(() => session.sendMessage('Good evening'));
  const functionCall = await turn(() => session.sendMessage('Please get weather for Lisbon'));
  const audio = await turn(speak(fs.readFileSync(pcmFile)));
  const history = session.history.map(({type, role, name, status}) => ({type, role, name, status}));
  session.close();
  return {text, functionCall, toolCalls, audio, errors, history, types: [...new Set(types)]};
}

main().then(
    (result) => {
      process.stdout.write(`${JSON.stringify(result)}\n`);
      process.exit(0);
    },
    (error) => {
      process.stderr.write(`${error.stack}\n${errors.join('\n')}\n`);
      process.exit(1);
    });
