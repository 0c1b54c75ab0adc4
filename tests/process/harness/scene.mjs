// An installation of which a test holds in its hands all that it depends on: the store, the text model, the tools.
import {strict as assert} from 'node:assert';

import {forwarded, HeldServer} from './held_server.mjs';
import {request} from './http.mjs';
import {logged} from './log.mjs';
import {patience} from './process.mjs';
import {waitUntil} from './wait.mjs';

export class Scene {
  clients = [];

  constructor(database) {
    this.database = database;
  }

  // What to start the fleet with, whose owner sets `fleet`. `workerFlags`: beside those of the scene. `heldModel`: the
  // model's answers pass `model`, which can hold them. `profiles`: makes them in the directory, with tools at the URL;
  // `answerTool`: see HeldServer.
  async prepare(directory, {workerFlags = [], heldModel = true, profiles, answerTool = () => ({body: '{}'}), ...options}) {
    this.model = await HeldServer.start((call) => forwarded(call, `${this.fleet.simulatorUrl}/v1/responses`));
    this.tool = await HeldServer.start(answerTool);
    const model = heldModel ? [`--responses_url=${this.model.url}/v1/responses`] : [];
    return {...options, workerFlags: [`--store=${this.database.url}`, ...model, ...workerFlags], profiles: profiles?.(directory, this.tool.url)};
  }

  dispose() {
    return Promise.all([this.model, this.tool, this.database].map((each) => each?.stop()));
  }

  get everybody() {
    return [...this.fleet.killed, ...this.fleet.workers];
  }

  get sessions() {
    return this.clients.length;
  }

  // So that each conversation has something that was said, and no two the same.
  introduce() {
    return Promise.all(this.clients.map(introduce));
  }

  // The user ends the interview.
  askForAssessment(clients = this.clients) {
    clients.forEach((client) => client.send({type: 'voicebridge.assessment.request'}));
  }

  async trigger(clients = this.clients) {
    this.askForAssessment(clients);
    await Promise.all(clients.map((client) => client.waitFor('voicebridge.assessment.started')));
  }

  async logged(event, count, workers = this.everybody) {
    const lines = () => workers.flatMap((worker) => logged(worker, event));
    await waitUntil(() => lines().length >= count, {ms: 10000 * patience, what: `${count} lines ${event}`, got: () => lines().length});
    return lines();
  }

  // Whoever is left may go on.
  async letGoOn() {
    this.model.release();
    this.tool.release();
    if (this.database.isLocked) {
      await this.database.unlock();
    }
  }

  // Everybody who triggered an assessment reads one report, with their words.
  async reports(clients, ms) {
    return Promise.all(clients.map(async (client) => {
      let answer;
      await waitUntil(async () => {
        answer = await this.getReport(client);
        return answer.status === 200 && JSON.parse(answer.body).state === 'completed';
      }, {ms, every: 100, what: 'the report', got: () => JSON.stringify(answer)});
      assert.ok(answer.body.includes(client.words), `it quotes ${client.words}`);
      return JSON.parse(answer.body);
    }));
  }

  getReport({about}) {
    return request(`${this.fleet.httpUrl}/v1/sessions/${about.session_id}/report`, {headers: {Authorization: `Bearer ${about.access_token}`}});
  }

  assessments() {
    return this.database.rows('SELECT id, session_id, state, claim, report_json FROM assessments');
  }

  toolCalls() {
    return this.database.rows('SELECT session_id, call_id, name, output FROM tool_calls');
  }
}

async function introduce(client, i) {
  client.words = `저는 ${i + 1}번 학습자입니다.`;
  client.send({type: 'conversation.item.create', item: {type: 'message', role: 'user', content: [{type: 'input_text', text: client.words}]}});
  await client.waitFor('conversation.item.added', ({item}) => item.role === 'user');
}
