// Shows transcripts: one list per conversation, the newest last, each entry kept in step with its item. What
// was said is inserted as text, whatever it contains.
import {element} from './elements.js';
import {kTexts} from './messages.js';
import {applyEvent, emptyTranscript, textOf, visibleEntries} from './transcript.js';

const kNearBottomPx = 120;
const kConversationsMax = 20;

export class TranscriptView {
  #root;
  #empty;
  #announcer;
  #entries = emptyTranscript;
  #list;
  #section;
  #rows = new Map();  // By item id: {row, text, entry}.
  #said = new Set();

  // `announcer`: the live region that reads out what is complete; lists that grow by the word are no use to the ear.
  constructor({root, empty, announcer}) {
    this.#root = root;
    this.#empty = empty;
    this.#announcer = announcer;
  }

  // What there is becomes the earlier conversation.
  begin() {
    this.#close();
    this.#entries = emptyTranscript;
    this.#rows = new Map();
    this.#said = new Set();
    this.#section = element('section', 'conversation');
    this.#list = element('ol', 'turns');
    this.#section.append(element('h3', '', kTexts.currentConversation), this.#list);
    this.#root.append(this.#section);
    while (this.#root.children.length > kConversationsMax) {
      this.#root.firstElementChild.remove();
    }
  }

  apply(event) {
    const entries = applyEvent(this.#entries, event);
    if (entries !== this.#entries && this.#list) {
      this.#entries = entries;
      this.#render();
    }
  }

  // An empty one is not worth keeping.
  #close() {
    if (!this.#section) {
      return;
    }
    if (this.#rows.size === 0) {
      this.#section.remove();
      return;
    }
    this.#section.querySelector('h3').textContent = kTexts.earlierConversation;
    this.#section.classList.add('earlier');
  }

  #render() {
    const follow = isNearBottom();
    const visible = visibleEntries(this.#entries);
    const wanted = new Set(visible.map(({id}) => id));
    for (const [id, {row}] of this.#rows) {
      if (!wanted.has(id)) {
        row.remove();
        this.#rows.delete(id);
      }
    }
    visible.forEach((entry, index) => {
      const shown = this.#update(entry);
      if (this.#list.children[index] !== shown.row) {
        this.#list.insertBefore(shown.row, this.#list.children[index] ?? null);
      }
      this.#announce(entry);
    });
    this.#empty.hidden = this.#root.querySelector('li') !== null;
    if (follow) {
      window.scrollTo({top: document.documentElement.scrollHeight});
    }
  }

  #update(entry) {
    let shown = this.#rows.get(entry.id);
    if (!shown) {
      shown = newRow(entry);
      this.#rows.set(entry.id, shown);
    }
    if (shown.entry !== entry) {
      shown.entry = entry;
      const {words, state} = wordsOf(entry);
      shown.row.dataset.state = state;
      shown.text.textContent = words;
      nameLanguage(shown.text, words);
      shown.mark.textContent = entry.interrupted ? kTexts.interrupted : '';
    }
    return shown;
  }

  #announce(entry) {
    const {words, state} = wordsOf(entry);
    if (!this.#said.has(entry.id) && (state === 'final' || state === 'missing')) {
      this.#said.add(entry.id);
      const said = element('span', '', words);
      nameLanguage(said, words);
      this.#announcer.replaceChildren(element('p', '', `${nameOf(entry)}: `, said));
    }
  }
}

// For the voice that reads it aloud. The page is in English; what is spoken on it may not be.
function nameLanguage(shown, words) {
  if (/\p{Script=Hangul}/u.test(words)) {
    shown.lang = 'ko';
  } else {
    shown.removeAttribute('lang');
  }
}

// What stands in the row, and whether it are words already.
function wordsOf(entry) {
  const text = textOf(entry);
  if (text !== '') {
    return {words: text, state: entry.status};
  }
  if (entry.status === 'failed') {
    return {words: kTexts.notTranscribed, state: 'missing'};
  }
  return entry.status === 'final' ? {words: kTexts.nothingHeard, state: 'missing'} : {words: kTexts.pendingWords, state: 'pending'};
}

function newRow(entry) {
  const row = element('li', `turn ${entry.role}`);
  const head = element('p', 'speaker', nameOf(entry));
  const mark = element('span', 'mark');
  const text = element('p', 'words');
  head.append(mark);
  row.append(head, text);
  return {row, text, mark, entry: undefined};
}

function nameOf(entry) {
  return entry.role === 'user' ? kTexts.you : kTexts.assistant;
}

// Whoever reads further up is not dragged away.
function isNearBottom() {
  const {scrollHeight, scrollTop, clientHeight} = document.documentElement;
  return scrollHeight - scrollTop - clientHeight < kNearBottomPx;
}
