import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// The page gets its session tokens from a backend, which holds the gateway key. `make run` starts one: that of the demo app.
export default defineConfig({
  plugins: [react()],
  server: { proxy: { "/session": process.env.BACKEND_URL ?? "http://127.0.0.1:8789" } },
});
