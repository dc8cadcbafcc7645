"use client";

import { useRouter } from "next/navigation";
import { useEffect, useState } from "react";
import "ofauth-edge/element";

/** The button with which a user links an account. When a connection changes, the server renders the accounts anew. */
export function Connect({ gatewayUrl }) {
  const router = useRouter();
  const [message, setMessage] = useState("");
  // React 19 sets no functions on an element that the server has rendered (github.com/react/react/issues/35446).
  const [inBrowser, setInBrowser] = useState(false);
  useEffect(() => setInBrowser(true), []);
  return (
    <>
      {inBrowser && (
        <ofauth-connect
          gateway={gatewayUrl}
          token={fetchToken}
          return-url="/"
          popup
          onconnection={() => router.refresh()}
          onlinkend={({ detail }) => setMessage(detail.status === "success" ? "" : "Linking has not succeeded.")}
          onerror={({ detail }) => setMessage(detail.message)}
        />
      )}
      <p role="status">{message}</p>
    </>
  );
}

async function fetchToken() {
  const response = await fetch("/session", { method: "POST" });
  if (!response.ok) throw new Error(await response.text());
  return response.text();
}
