// Sample events, one of each known type, with the shapes that OFAuth documents. The emulated OFAuth sends the same realtime
// messages.

/** What each kind of realtime event carries in `data.json`: the smallest example of each documented schema. */
export const REALTIME_JSON = Object.freeze({
  typing: { typing: { id: 562630475 } },
  stories: { stories: [] },
  chatMessage: {
    api2_chat_message: {
      id: 9372017685098,
      queueId: 39092614938,
      responseType: "message",
      text: "<p>hello</p>",
      price: 0,
      isFree: true,
      isTip: false,
      isNew: true,
      isOpened: false,
      isFromQueue: false,
      isMediaReady: true,
      mediaCount: 0,
      createdAt: "2026-04-23T14:30:14+00:00",
      changedAt: "2026-04-23T14:30:14+00:00",
      cancelSeconds: 120,
      fromUser: { id: 562630475, name: "Jane Doe", username: "janedoe", isVerified: false },
      media: [],
      previews: [],
    },
  },
  inboxCounts: { chat_messages: 25, count_priority_chat: 25, unread_tips: 0 },
  systemMessages: { hasSystemNotifications: false, messages: 1 },
  systemNewMessage: { hasSystemNotifications: true, new_message: {} },
  chatMessageLike: { chat_message_like: "9375049127457" },
  chatMessageUnlike: { chat_message_unlike: {} },
  toasts: { toasts: [] },
  postFundraisingUpdated: { post_fundraising_updated: {} },
  postPublished: { post_published: {} },
});

const CONNECTION_ID = "conn_abc123";
const CLIENT_REFERENCE_ID = "user_456";

/** The data of a sample by type, made at an instant. */
const DATA = {
  "connection.created": () => connectionData({ status: "active", ...detailsOf(["profile:read", "posts:read"]) }),
  "connection.updated": () => connectionData({ status: "active", ...detailsOf(["profile:read", "posts:read", "messages:read"]) }),
  // Without permissions and userData, as OFAuth sends it. So is the next.
  "connection.expired": () => connectionData({ status: "expired" }),
  "connection.disconnected": () => connectionData({ status: "disconnected" }),
  "rules.updated": () => ({ revision: "rev-1" }),
  "rules.update": () => ({ revision: "rev-1" }),
  "of.websocket.event.received": (now) => ({
    ...realtimeData(),
    // OFAuth writes nanoseconds here.
    receivedAt: now.replace("Z", "435299Z"),
    messageType: "text",
    truncated: false,
    json: REALTIME_JSON.typing,
    rawText: JSON.stringify(REALTIME_JSON.typing),
  }),
  "realtime.chat_message.received": () => ({ ...realtimeData(), eventBody: REALTIME_JSON.chatMessage.api2_chat_message }),
  "realtime.chat_typing.updated": () => ({ ...realtimeData(), eventBody: REALTIME_JSON.typing.typing }),
  "realtime.system_messages.updated": () => ({ ...realtimeData(), eventBody: REALTIME_JSON.systemMessages }),
};

/** The types of which there are samples. */
export const SAMPLE_TYPES = Object.freeze(Object.keys(DATA));

/**
 * A sample event, complete and plausible. The caller may change it.
 * @param {string} type   one of {@link SAMPLE_TYPES}
 * @param {string} [now]   ISO 8601
 */
export function sampleEvent(type, now = new Date().toISOString()) {
  // A copy, because parts of the data are shared.
  return JSON.parse(JSON.stringify({ type, timestamp: now, data: DATA[type](now) }));
}

function connectionData(connection) {
  return { clientReferenceId: CLIENT_REFERENCE_ID, connection: { id: CONNECTION_ID, ...connection } };
}

function detailsOf(permissions) {
  const userData = { id: "495130295", name: "Jane Doe", username: "janedoe", avatar: "https://media.ofauth.com/avatars/495130295.jpg" };
  return { permissions, userData };
}

function realtimeData() {
  return { connection: { id: CONNECTION_ID, clientReferenceId: CLIENT_REFERENCE_ID }, environment: "sandbox" };
}
