// The gateway as the server calls it. The key stays here: no client component imports this file.
import "server-only";
import { createClient } from "ofauth-edge/client";

/** Here everybody is user_1. Your app takes the id of the user who is logged in. */
export const USER = "user_1";

/** Made at each request, because the build has no key. */
export const gateway = () => createClient({ baseUrl: process.env.GATEWAY_URL, apiKey: process.env.GATEWAY_KEY });
