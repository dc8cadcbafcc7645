// Does at each request what the Worker's cron trigger does, because workerd alone has no cron triggers. It also tells the state of the passes.

export default {
  async fetch(request, env) {
    const reconciler = env.RECONCILER.getByName("reconciler");
    const { pathname } = new URL(request.url);
    return new Response(await reconciler.answer(pathname === "/state" ? "state" : "tick", ""));
  },
};
