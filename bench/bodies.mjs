// Three webhook bodies of about 1 KiB and one of 20 KiB. They differ in structure, because the time to read a body depends on its structure.

const connection = {
  id: "conn_abc123",
  status: "active",
  permissions: ["profile:read", "messages:read", "messages:write"],
  userData: { id: "12345", name: "Jane", username: "jane", avatar: "https://cdn.example.com/a.jpg" },
};
const event = (data) => JSON.stringify({ type: "connection.updated", timestamp: "2024-01-15T10:30:00Z", data });

export const bodies = {
  "realtime, a long string": JSON.stringify({
    type: "of.websocket.event.received",
    timestamp: "2024-01-15T10:30:00Z",
    data: {
      connection: { id: "conn_abc123", clientReferenceId: "user_456" },
      environment: "live",
      messageType: "text",
      truncated: false,
      json: { api2_chat_message: { id: 9372017685098, text: `<p>${"t".repeat(740)}</p>` } },
      rawText: "",
    },
  }),
  "connection, a long string": event({
    clientReferenceId: "user_456",
    connection: { ...connection, userData: { ...connection.userData, name: `Jane ${"x".repeat(700)}` } },
  }),
  "connection, many small values": event({
    clientReferenceId: "user_456",
    connection,
    items: Array.from({ length: 22 }, (_, id) => ({ id, text: `some text ${id}` })),
  }),
  "connection, 20 KiB": event({
    clientReferenceId: "user_456",
    connection,
    items: Array.from({ length: 320 }, (_, id) => ({ id, text: `some text of an item ${id} ${"x".repeat(20)}` })),
  }),
};
