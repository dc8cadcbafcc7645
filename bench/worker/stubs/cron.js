// Does what the Worker's cron trigger does, at each request: workerd rings none by itself. It also tells the state of the passes.

export default {
  async fetch(request, env) {
    const reconciler = env.RECONCILER.getByName("reconciler");
    const { pathname } = new URL(request.url);
    return new Response(await reconciler.answer(pathname === "/state" ? "state" : "tick", ""));
  },
};
