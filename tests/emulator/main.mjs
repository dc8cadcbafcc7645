// The emulator as a program, for `make run`. Configuration comes from the environment only, so that no secret shows in a
// process list:
//
//   OFAUTH_API_KEY         the key it lets in (required)
//   PORT                   8788 if unset; 0 picks a free one
//   WEBHOOK_URL            where POST /_emulator/webhooks sends
//   OFAUTH_WEBHOOK_SECRET  signs the ofauth scheme
//   SVIX_WEBHOOK_SECRET    signs the svix scheme
//
// A secret may be a list as the gateway takes it (commas, newest first): the newest signs.

import { startEmulator } from "./emulator.mjs";

try {
  const emulator = await startEmulator(configuration(process.env));
  console.log(`OFAuth emulator listening on ${emulator.url}`);
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, async () => {
      await emulator.close();
      process.exit(0);
    });
  }
} catch (error) {
  console.error(`emulator: ${error.message}`);
  process.exitCode = 1;
}

function configuration(env) {
  const { PORT = "8788", OFAUTH_API_KEY: apiKey, WEBHOOK_URL: url } = env;
  if (!apiKey) throw new Error("OFAUTH_API_KEY is not set");
  if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) throw new Error("PORT is not a port number");
  if (url && !URL.canParse(url)) throw new Error("WEBHOOK_URL is not a URL");
  const webhooks = { url, ofauthSecret: newest(env.OFAUTH_WEBHOOK_SECRET), svixSecret: newest(env.SVIX_WEBHOOK_SECRET) };
  return { apiKey, port: Number(PORT), webhooks };
}

function newest(secrets) {
  return secrets?.split(",")[0];
}
