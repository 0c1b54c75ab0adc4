// What the page received over its WebSocket, decoded here independently of the page's own codec.

// By item: all PCM in the order of its arrival.
export class ReceivedAudio {
  #items = new Map();

  constructor(page) {
    this.sockets = [];
    this.events = [];  // JSON, received.
    this.sent = [];    // JSON, sent.
    this.binarySent = 0;
    this.binaryReceived = 0;
    page.on('websocket', (socket) => {
      this.sockets.push(socket);
      socket.on('framereceived', ({payload}) => this.#received(payload));
      socket.on('framesent', ({payload}) => this.#sent(payload));
    });
  }

  get itemIds() {
    return [...this.#items.keys()];
  }

  pcm(itemId) {
    const bytes = Buffer.concat(this.#items.get(itemId) ?? []);
    return new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  }

  bytes(itemId) {
    return Buffer.concat(this.#items.get(itemId) ?? []);
  }

  sentOf(type) {
    return this.sent.filter((event) => event.type === type);
  }

  #sent(payload) {
    if (typeof payload === 'string') {
      this.sent.push(JSON.parse(payload));
    } else {
      this.binarySent += 1;
    }
  }

  #received(payload) {
    if (typeof payload !== 'string') {
      this.binaryReceived += 1;
      const item = payload.toString('utf8', 16 + payload.readUInt16LE(12), 16 + payload.readUInt16LE(12) + payload.readUInt16LE(14));
      this.#add(item, payload.subarray(payload.readUInt16LE(2)));
      return;
    }
    const event = JSON.parse(payload);
    if (event.type === 'response.output_audio.delta') {
      this.#add(event.item_id, Buffer.from(event.delta, 'base64'));
    }
    this.events.push(event);
  }

  #add(item, pcm) {
    this.#items.set(item, [...(this.#items.get(item) ?? []), Buffer.from(pcm)]);
  }
}
