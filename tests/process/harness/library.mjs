// A profile whose model has tools that do something: the interview, which is assessed, in a library.
import fs from 'node:fs';
import path from 'node:path';

import {root} from './process.mjs';

const kParameters = {type: 'object', additionalProperties: false, required: ['title'], properties: {title: {type: 'string'}}};
// One does something each time that it is called; the other can be asked again under the same key.
export const kReserve = {name: 'reserve_book', webhook: {timeout_ms: 20000}};
export const kSearch = {name: 'search_books', webhook: {timeout_ms: 20000, attempts: 3, idempotent: true}};
export const kTools = [kReserve, kSearch];

export const kLibrary = 'library';

// The directory of profiles: this one and those that ship. The tools are webhooks below the URL.
export function libraryProfiles(directory, url) {
  const shipped = path.join(root, 'bridge_worker/profiles');
  const profiles = path.join(directory, 'profiles');
  fs.cpSync(shipped, profiles, {recursive: true});
  const library = JSON.parse(fs.readFileSync(path.join(shipped, 'interview.json'), 'utf8'));
  library.name = kLibrary;
  library.tools.push(...kTools.map(({name, webhook}) => (
    {name, description: `Does ${name}.`, parameters: kParameters, webhook: {...webhook, url: `${url}/${name}`}})));
  fs.writeFileSync(path.join(profiles, `${kLibrary}.json`), JSON.stringify(library));
  return profiles;
}
