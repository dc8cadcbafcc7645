// A user on the hosted Link pages, without a browser: reads each page, fills in its form and presses a button.

/**
 * Goes from a Link session's url to where it ends.
 * @param {string} url   as init answered it
 * @param {{email?: string, password?: string, code?: string, cancelAt?: "pre-login" | "authorization" | "login" | "2fa"}}
 *   [user]   a wrong password or code is given again until the tries are used up
 * @returns {Promise<URL>} where the browser is sent: not visited
 * @throws {Error} if a page is none of a Link session's steps
 */
export async function visitLink(url, { cancelAt, ...typed } = {}) {
  const user = { email: "ada@creator.sandbox.com", password: "good-password", code: "123456", ...typed };
  const home = new URL(url);
  for (let presses = 0; presses < MOST_PRESSES; presses += 1) {
    const page = await fetch(home, { redirect: "manual" });
    if (page.status === 303) return new URL(page.headers.get("location"), home);
    const [, step] = /name="step" value="([^"]+)"/.exec(await page.text()) ?? [];
    if (!step) throw new Error(`${page.status}: no step of a Link session`);
    const action = step === cancelAt ? "cancel" : "next";
    const body = new URLSearchParams({ ...user, step, action });
    const { headers } = await fetch(home, { method: "POST", redirect: "manual", body });
    const next = new URL(headers.get("location"), home);
    if (next.href !== home.href) return next;
  }
  throw new Error(`no end after ${MOST_PRESSES} steps`);
}

const MOST_PRESSES = 20;
