// A client that says when its session is ready, and then stays.   node far_client.mjs URL
import {RealtimeClient} from '../harness/client.mjs';

const client = await RealtimeClient.connect(process.argv[2]);
console.log(`ready ${client.about.session_id}`);
