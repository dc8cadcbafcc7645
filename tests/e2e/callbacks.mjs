// What the tests of Link's callback share: a Link session under way, and what the callback told the browser.

import { after, afterEach, beforeEach } from "node:test";

import { visitLink } from "../emulator/visitor.mjs";
import { startGateway } from "./harness.mjs";
import { browserOf, comeBack, hearWebhooks, pageOf } from "./linking.mjs";

export const APP = "https://app.example";
export const BACK = `${APP}/back`;
export const HOME = "https://home.example/linked";

export const UNKNOWN = [HOME, { by: "gateway", status: "unknown" }];
export const PENDING = [BACK, { status: "pending" }];

/** The query of a success. */
export const success = (id, reference) => ({ status: "success", connection_id: id, client_reference_id: reference });

/** A gateway whose callback is tested. After each test its faults are healed, and its OFAuth has forgotten everything. */
export async function startCallbacks() {
  const vars = { ALLOWED_ORIGINS: APP, APP_RETURN_URL: `${HOME}?by=gateway#end` };
  const gateway = await startGateway({ faults: true, vars });
  after(() => gateway.close());
  const { emulator } = gateway;
  hearWebhooks(gateway);
  beforeEach(() => emulator.clear());
  afterEach(async () => {
    await gateway.fail({});
    emulator.heal();
    emulator.reset();
  });

  let users = 0;
  const newUser = () => `user_of_callback_${(users += 1)}`;
  /** Where the callback sends the browser, and what it says there. */
  const at = async (back) => {
    const { page, told } = await comeBack(gateway, back);
    return [page, told];
  };
  return { gateway, emulator, newUser, underWay, at };

  /** A user with a Link session under way, and a connection that only OFAuth knows of. */
  async function underWay({ linkWebhook = "never", ...switches } = {}) {
    emulator.set({ linkWebhook, ...switches });
    const user = newUser();
    const back = await visitLink(await pageOf(browserOf(gateway, user), { redirectUrl: BACK, connectionId: null }));
    emulator.clear();
    return { user, back, id: back.searchParams.get("connection_id") };
  }
}
