import { useEffect, useState } from "react";
import { createClient } from "ofauth-edge/client";
import "ofauth-edge/element";

const client = createClient({ baseUrl: import.meta.env.VITE_GATEWAY_URL, token: fetchToken });

/** Links an account, and shows the user's accounts. React 19 sets the properties of the element and hears its events. */
export function App() {
  const [connections, setConnections] = useState({});
  const [message, setMessage] = useState("");
  const update = (connection) => setConnections((all) => ({ ...all, [connection.handle]: connection }));
  const accounts = Object.values(connections).filter(({ status }) => status !== "disconnected");
  return (
    <main>
      <h1>Linked accounts</h1>
      <ofauth-connect
        client={client}
        return-url="/"
        popup
        onconnect={() => setMessage("")}
        onconnection={({ detail }) => update(detail)}
        onlinkend={({ detail }) => setMessage(detail.status === "success" ? "" : "Linking has not succeeded.")}
        onerror={({ detail }) => setMessage(detail.message)}
      />
      <p role="status">{message}</p>
      <ul>{accounts.map((connection) => <Account key={connection.handle} {...connection} />)}</ul>
    </main>
  );
}

function Account({ handle, status, metadata }) {
  const [text, setText] = useState("");
  useEffect(() => {
    if (status !== "active") return setText("");
    const stop = new AbortController();
    const { signal } = stop;
    client.self.getMe({ authentication: { connectionId: handle } }, { signal }).then(({ data, error }) => {
      if (!signal.aborted) setText(error ? error.message : `@${data.username}, ${data.subscribersCount} subscribers`);
    });
    return () => stop.abort();
  }, [handle, status]);
  return <li><strong>{metadata.displayName ?? "An account"}</strong> {status} {text}</li>;
}

async function fetchToken() {
  const response = await fetch("/session", { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}
