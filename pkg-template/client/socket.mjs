// Keeps a WebSocket to the gateway open, on which the gateway says which connections of the user have changed.

const PROTOCOL = "ofauth-edge";
/** The gateway closes with this code when the token has expired. */
const TOKEN_EXPIRED = 4401;
/** How many milliseconds an attempt may take, with the time for its token. A network may also answer nothing at all. */
const CONNECT_LIMIT = 20_000;
/** Milliseconds between two pings. A socket on which nothing came since the last ping is dead. */
const PING_INTERVAL = 30_000;
/** The longest pause before the first new attempt, in milliseconds. It doubles with each further one. */
const FIRST_PAUSE = 1_000;
const MAX_PAUSE = 60_000;
/** A socket that was open for so many milliseconds was a success. The next pause is then a first one again. */
const STABLE_AFTER = 5_000;

/**
 * Connects, and connects again whenever the socket is lost, until `signal` is aborted.
 * @param onOpen      called when a socket has opened
 * @param onFrame     called with each message
 * @param onClose     called with the code of the close event when a socket was lost or did not open
 */
export function keepSocket({ base, credential }, signal, onOpen, onFrame, onClose) {
  const url = `${base.replace(/^http/, "ws")}/edge/live`;
  let current;
  let socket;
  /** Of the attempt that is under way, then of the pings, or of the next attempt. */
  let timer;
  let since;
  let user;
  let failures = 0;

  async function connect() {
    disconnect();
    const attempt = (current = {});
    const pending = credential.current();
    let openedAt;
    let isHeard;
    const lose = (code) => {
      if (attempt !== current) return;
      disconnect();
      if (performance.now() - openedAt > STABLE_AFTER) failures = 0;
      if (code === TOKEN_EXPIRED) credential.renew(pending);
      timer = setTimeout(connect, Math.random() * Math.min(MAX_PAUSE, FIRST_PAUSE * 2 ** failures));
      failures += 1;
      onClose(code);
    };
    timer = setTimeout(lose, CONNECT_LIMIT);
    try {
      const token = await pending;
      if (attempt !== current) return;
      // The changes of another user have other numbers.
      const newUser = userOf(token);
      if (newUser !== user) since = undefined;
      user = newUser;
      socket = new WebSocket(since === undefined ? url : `${url}?since=${since}`, [PROTOCOL, `bearer.${token}`]);
    } catch {
      return lose();
    }
    socket.onopen = () => {
      clearTimeout(timer);
      openedAt = performance.now();
      isHeard = true;
      // A gateway hangs up at once only on a socket from which it has heard something.
      socket.send("ping");
      timer = setInterval(() => {
        if (!isHeard) return lose();
        isHeard = false;
        socket.send("ping");
      }, PING_INTERVAL);
      onOpen();
    };
    socket.onmessage = ({ data }) => {
      isHeard = true;
      try {
        const frame = JSON.parse(data);
        since = frame.seq ?? since;
        onFrame(frame);
      } catch {
        // "pong", or something that a later gateway sends.
      }
    };
    socket.onclose = ({ code }) => lose(code);
  }

  function disconnect() {
    current = undefined;
    // It clears an interval too (HTML standard, "Timers").
    clearTimeout(timer);
    socket?.close();
  }

  // The old socket may not notice for a while that its network is gone.
  const reconnect = () => {
    failures = 0;
    onClose();
    connect();
  };
  // A page has this event, other platforms may not.
  globalThis.addEventListener?.("online", reconnect);
  signal.addEventListener("abort", () => {
    globalThis.removeEventListener?.("online", reconnect);
    disconnect();
  });
  connect();
}

/** Returns the user of a session token, which is a JWT, or undefined if it is none. */
function userOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).sub;
  } catch {
    return undefined;
  }
}
