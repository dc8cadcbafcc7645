// A Worker beside the one under test that consumes the queue FORWARD_QUEUE, as an app would. Over HTTP: GET / answers the
// messages.

const received = [];

export default {
  queue(batch) {
    for (const { body, timestamp } of batch.messages) received.push({ body, timestamp });
  },

  fetch: () => Response.json(received),
};
